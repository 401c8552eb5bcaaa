"""`chainrule explain`: a derivation on the terminal, as JSON, and in files."""

import json

import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app

NUMBER = ["--parameter", "layers[0].W", "--index", "20,3"]


def run(*arguments):
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, [str(a) for a in arguments], prog_name="chainrule")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "digits.safetensors"
    network = cr.Network(
        [cr.Linear(5), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy(), metadata={"data": "digits"}
    )
    network.build((64,)).save(path)
    return path


def explained(model, *arguments):
    result = run("explain", model, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_terminal_shows_what_the_library_gives(model):
    x, labels = cr.data.load_digits().test
    expected = cr.load(model).explain(
        x[3:4], labels[3:4], parameter="layers[0].W", index=(20, 3), optimizer=cr.Adam(0.5)
    )
    found = explained(model, "--sample", 3, *NUMBER, "--optimizer", "adam", "--learning-rate", 0.5)
    assert found.rstrip("\n").splitlines() == str(expected).splitlines()


def test_json_is_the_dictionary(model):
    found = json.loads(explained(model, "--json", *NUMBER))
    assert found["format"] == 1
    assert found["paths"]["of"]["index"] == [20, 3]


@pytest.mark.parametrize(
    ("end", "begins"),
    [
        (".html", "<!doctype html>"),
        (".md", "**Network"),
        (".tex", r"\documentclass"),
        (".json", "{"),
        (".txt", "Network"),
    ],
)
def test_the_end_of_the_name_decides_the_form_of_the_file(model, tmp_path, end, begins):
    path = tmp_path / f"digit{end}"
    assert explained(model, "--output", path).startswith("Written to ")
    assert path.read_text(encoding="utf-8").startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--sample", 360], 1, "--sample: digits has the test samples 0 to 359, got 360"),
        (["--parameter", "layers[0].W", "--index", "a"], 2, "--index: expected whole numbers with commas between"),
        (["--parameter", "layers[0].W"], 2, "give both"),
        (["--output", "digit.pdf"], 2, "expected one of .html, .md, .tex, .json, .txt, got '.pdf'"),
        (["--optimizer", "magic"], 2, "--optimizer: expected one of sgd"),
    ],
)
def test_a_mistake_is_one_line(model, arguments, status, message):
    result = run("explain", model, *arguments)
    assert result.exit_code == status
    (line,) = result.stderr.splitlines()
    assert line.startswith("chainrule: error: ")
    assert message in line
