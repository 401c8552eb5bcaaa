"""`chainrule derive`: the page of an operation on the screen or in a file."""

import pytest
from typer.testing import CliRunner

from chainrule.cli.app import app
from chainrule.explain import derivable, derive


def run(*words):
    return CliRunner().invoke(app, ["derive", *words])


@pytest.mark.parametrize(
    ("form", "page"),
    [("text", str), ("markdown", lambda p: p.to_markdown()), ("latex", lambda p: p.to_latex())],
)
def test_a_page_is_printed_in_the_form_asked_for(form, page):
    result = run("sigmoid", "--format", form)
    assert result.exit_code == 0
    assert result.output == page(derive("sigmoid"))


def test_html_is_a_page_that_needs_nothing_else(tmp_path):
    file = tmp_path / "sigmoid.html"
    result = run("Sigmoid", "--format", "html", "--output", str(file))
    assert (result.exit_code, result.output) == (0, f"Written: {file}\n")
    text = file.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "<title>Sigmoid</title>" in text
    assert "<mfrac>" in text
    assert "http" not in text.replace("http-equiv", "")


def test_without_a_name_all_operations_are_listed():
    assert run().output.split() == derivable()


@pytest.mark.parametrize("words", [("sofmax",), ("softmax", "--format", "pdf")])
def test_what_there_is_not_is_an_error(words):
    assert run(*words).exit_code == 2
