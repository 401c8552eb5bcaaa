"""docs/explain.md: its examples run, what it shows is what they print, and its tables name every key."""

import re
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

PAGE = (Path(__file__).parents[1] / "docs" / "explain.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def room():
    room = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(code, room)
    return room


def test_the_examples_run_and_write_the_views(room):
    assert {path.suffix for path in room["folder"].iterdir()} == {".html", ".md", ".tex", ".json"}


def test_what_is_shown_is_what_is_printed(room):
    (shown,) = re.findall(r"```text\n(.*?)\n```", PAGE, flags=re.DOTALL)
    assert shown.splitlines() == str(room["derivation"]).splitlines()


def test_the_example_is_that_of_the_lecture(room):
    """Mission item D2: z = 0.731, 0.731 and p = 0.812."""
    assert np.round(room["derivation"].prediction, 3) == 0.812
    assert "[0.7311 0.7311]" in PAGE


@pytest.mark.parametrize(
    ("heading", "pick"),
    [
        ("| Key | What stands there |", lambda found: found),
        ("| Key of a step | |", lambda found: found["steps"][0]),
        ("| Key of a statement | |", lambda found: found["steps"][0]["statements"][0]),
        ("| Key of `paths` | |", lambda found: found["paths"]),
    ],
)
def test_the_tables_name_every_key(room, heading, pick):
    table = PAGE.split(heading)[1].split("\n\n")[0]
    named = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert sorted(named) == sorted(pick(room["found"]))


def test_every_inner_key_is_named():
    network = cr.Network([cr.RNN(2), cr.Linear(1)], loss=cr.SquaredError())
    paths = network.explain(np.ones((1, 2, 2)), [[1.0]], parameter="layers[0].U", index=(0, 1)).to_dict()["paths"]
    inner = [paths["of"], paths["largest"][0], paths["largest"][0]["nodes"][0], paths["rest"], paths["stages"][0]]
    inner += [paths["stages"][0]["terms"][0], paths["uses"], paths["uses"]["terms"][0], paths["finite_difference"]]
    keys = {key for part in inner for key in part}
    assert keys - set(re.findall(r"`(\w+)`", PAGE)) == set()
