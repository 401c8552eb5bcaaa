"""`chainrule playground`, as it is started and ended; its settings and tables, read strictly."""

import re
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("websockets")
pytest.importorskip("uvicorn")

from typer.testing import CliRunner

from chainrule.cli.app import app
from chainrule.errors import DataError, MissingExtraError, SettingError
from chainrule.playground import serve
from chainrule.playground.data import MOST_COLUMNS, make_problem, parse_table
from chainrule.playground.server import read_page
from chainrule.playground.settings import Settings, parse

WORDS = Path(__file__).parents[1] / "web" / "src" / "text"


def complaint(*arguments):
    result = CliRunner().invoke(app, ["playground", *arguments], prog_name="chainrule")
    return result.exit_code, result.stderr


@pytest.fixture
def built(monkeypatch):
    """A page, whether or not ours is built."""
    monkeypatch.setattr("chainrule.playground.server.read_page", lambda: {"/": b"a page"})


def test_it_prints_an_address_serves_and_ends_at_ctrl_c():
    code = (
        "import chainrule.playground.server as server\n"
        "server.read_page = lambda: {'/': b'a page'}\n"
        "server.run(0, open_browser=False)\n"
    )
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port, path = re.search(r"http://127\.0\.0\.1:(\d+)(/\S+)", program.stdout.readline()).groups()
        connection = HTTPConnection("127.0.0.1", int(port), timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == 303
        connection.close()
    finally:
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=20)
    assert program.returncode in (0, -signal.SIGINT, 130)


def test_a_port_that_is_taken_is_named(built):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, text = complaint("--no-browser", "--port", str(port))
    assert status == 1
    assert f"port {port}" in text
    assert "--port 0" in text


def test_a_page_that_is_not_built_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr("chainrule.playground.server.files", lambda package: tmp_path)
    with pytest.raises(DataError, match="make playground"):
        read_page()


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "chainrule.playground.server", None)
    with pytest.raises(MissingExtraError, match=r"chainrule\[playground\]"):
        serve()


def test_the_settings_of_the_page_and_of_the_engine_are_the_same():
    source = (WORDS.parent / "settings.ts").read_text()
    usual = re.search(r"USUAL: Settings = \{(.*?)\n\};", source, flags=re.DOTALL)[1]
    names = re.findall(r"^  (\w+):", usual, flags=re.MULTILINE)
    assert names == list(Settings.__dataclass_fields__)
    values = dict(re.findall(r"^  (\w+): ([^\[\n]+),$", usual, flags=re.MULTILINE))
    for name, value in values.items():
        assert str(getattr(Settings(), name)).removesuffix(".0") == value.strip('"'), name


def test_every_lesson_asks_for_settings_that_there_are():
    source = (WORDS / "lessons.ts").read_text()
    assert len(re.findall(r"^    id: ", source, flags=re.MULTILINE)) >= 12
    for name, value in re.findall(r"\b(data|activation|start|loss|optimizer): \"([^\"]+)\"", source):
        assert parse({name: value})


@pytest.mark.parametrize("data", ["rings", "xor", "spirals", "blobs", "parabola", "sine", "hills", "tickets", "digits"])
def test_every_data_set_has_samples_to_learn_from_and_to_test_on(data):
    problem = make_problem(parse({"data": data}))
    assert len(problem.train[0]) == len(problem.train[1]) > 0
    assert len(problem.test[0]) == len(problem.test[1]) > 0
    assert problem.feature_names or problem.image_shape


def test_the_ticket_decision_is_the_known_one():
    for threshold, going in ((9, 2), (7, 3)):
        assert make_problem(parse({"data": "tickets", "threshold": threshold})).train[1].sum() == going


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "two rows"),
        ("a,b\n1,2\n3\n", "row 3: expected 2 cells"),
        ("a,b\n1,2\n3,\n4,5\n", "row 3, column 'b': the cell is empty"),
        ("a,b\n" + "".join(f"w{i},{i % 2}\n" for i in range(20)), "row 2, column 'a': 'w0' is not a number"),
        ("a,b\n1,same\n2,same\n", "expected 2 to 10 classes, got 1"),
        (",".join("abc" * 20) + "\n" + "1,2,3\n" * 3, f"2 to {MOST_COLUMNS} columns"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_row_and_column(text, words):
    with pytest.raises(DataError, match=re.escape(words)):
        parse_table(text)


def test_a_table_is_standardised_and_its_last_column_predicted():
    table = parse_table("size;kind;price\n1;x;10.5\n2;y;20.25\n3;x;33\n4;y;41\n")
    assert table.feature_names == ("size", "kind=x", "kind=y")
    assert (table.class_names, table.y.shape) == ((), (4, 1))
    np.testing.assert_allclose(table.x[:, 0].mean(), 0, atol=1e-6)
    np.testing.assert_allclose(table.x[:, 0].std(), 1, rtol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": 10**9},
        {"samples": 2.5},
        {"rate": float("nan")},
        {"rate": True},
        {"layers": ["8"] * 9},
        {"layers": ["0"]},
        {"layers": ["c4x99"]},
        {"layers": "8"},
        {"layers": [8]},
        {"points": [[0, 0]]},
        {"points": [[0, 0, 6]]},
        {"points": [[9, 0, 0]]},
        {"points": [[0, 0, 0]] * 501},
        {"activation": "Tanh()"},
        {"data": 3},
        {"__class__": "x"},
        None,
        [],
    ],
    ids=str,
)
def test_settings_out_of_their_range_are_refused(wrong):
    with pytest.raises(SettingError):
        parse(wrong)
