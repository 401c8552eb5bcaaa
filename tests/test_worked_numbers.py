"""Every worked number in one place: run with -s to see the table; docs/worked-numbers.md is held to it."""

import re
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.data.mnist import PARTS, find
from chainrule.errors import MissingExtraError
from worked_numbers import NUMBERS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "worked-numbers.md").read_text(encoding="utf-8")
ITEMS = [f"A{n}" for n in range(1, 5)] + [f"B{n}" for n in range(1, 7)] + ["C1", "C2"]
ITEMS += [f"D{n}" for n in range(1, 17)] + [f"E{n}" for n in range(1, 6)]


@pytest.fixture(scope="module")
def table():
    """What each row came out as; None without MNIST. The whole is printed at the end."""
    found = {}
    yield found
    widths = [max(len(getattr(number, part)) for number in NUMBERS) for part in ("item", "what", "expected")]
    print(f"\n\n{'item':{widths[0]}}  {'what':{widths[1]}}  {'expected':{widths[2]}}  computed, where shown")
    for place, number in enumerate(NUMBERS):
        computed = found.get(place, "not computed")
        expected = f"{number.expected:{widths[2]}}"
        print(f"{number.item:{widths[0]}}  {number.what:{widths[1]}}  {expected}  {computed}, {number.shown}")


@pytest.mark.parametrize("place", range(len(NUMBERS)), ids=lambda place: f"{NUMBERS[place].item}-{place}")
def test_the_computed_number_is_the_expected_one(place, table):
    number = NUMBERS[place]
    if number.needs_mnist and any(find(part) is None for part in PARTS):
        pytest.skip("MNIST is not on this machine: put its files into the folder named by CHAINRULE_DATA")
    try:
        table[place] = number.compute()
    except MissingExtraError as error:
        pytest.skip(str(error))
    assert table[place] == number.expected, number.what


def test_the_page_has_every_row():
    rows = re.findall(r"^\| ([A-E]\d+) \| (.*) \| (.*) \| (.*) \|$", PAGE, re.MULTILINE)
    expected = [(n.item, escaped(n.what), n.expected, linked(n.shown)) for n in NUMBERS]
    assert rows == expected, "\n".join(f"| {' | '.join(row)} |" for row in expected)


def escaped(text):
    return text.replace("|", r"\|").replace("*", r"\*")


def linked(shown):
    if shown.startswith("chainrule."):
        return f"`{shown.replace('chainrule.', 'cr.', 1)}`"
    path = shown if shown.startswith("docs/") else f"examples/{shown}"
    return f"[{Path(shown).name}]({'../' if path.startswith('examples/') else ''}{path.removeprefix('docs/')})"


@pytest.mark.parametrize("shown", sorted({number.shown for number in NUMBERS}))
def test_where_it_is_shown_is_there(shown):
    if shown.startswith("chainrule."):
        thing = cr
        for name in shown.split(".")[1:]:
            thing = getattr(thing, name)
    else:
        assert (ROOT / shown).exists() or (ROOT / "examples" / shown).exists()


def test_every_item_has_a_row_or_the_page_says_where_it_is_shown():
    missing = [item for item in ITEMS if item not in {number.item for number in NUMBERS}]
    assert [item for item in missing if f"* {item}: " not in PAGE] == []
