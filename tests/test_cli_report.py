"""The report: one page that holds all there is to see, and needs nothing else."""

import re
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.cli.recipe import complete
from chainrule.cli.report import report_page
from chainrule.cli.results import measure

VOID = {"meta", "br", "img", "link", "hr"}
LOADS = {"src", "srcset", "poster", "data", "action", "formaction", "background", "ping"}


class Page(HTMLParser):
    """Checks that every tag is closed in its turn, and collects what a browser would fetch."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.references, self.ids = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.look_at(attributes)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.look_at(attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def look_at(self, attributes):
        for name, value in attributes:
            if name in LOADS or name.endswith("href"):
                self.references.append(value)
            if name == "id":
                self.ids.append(value)
            self.references += re.findall(r"url\(([^)]*)\)", value or "")


def page_of(path):
    text = path.read_text("utf-8")
    return text, Page(text)


def train(tmp_path, *options):
    path = tmp_path / "reports" / "report.html"
    result = CliRunner().invoke(app, ["train", "-q", "--report", str(path), *options])
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return page_of(train(tmp_path_factory.mktemp("digits"), "--epochs", "3", "--layers", "64-12-10"))


def test_the_page_is_well_formed(digits):
    text, page = digits
    assert text.startswith("<!DOCTYPE html>")
    assert {"html", "head", "title", "body", "main"} <= set(page.tags)


def test_the_page_fetches_nothing(digits):
    text, page = digits
    assert all(reference.startswith(("#", "data:image/png;base64,")) for reference in page.references)
    assert not {"script", "iframe", "link", "object", "embed", "form"} & set(page.tags)
    assert "@import" not in text
    assert "url(http" not in text
    assert re.findall(r'="https?:', text) == []


def test_the_page_forbids_itself_to_fetch_anything(digits):
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in digits[0]


def test_no_two_parts_of_the_page_share_a_name(digits):
    _, page = digits
    assert len(page.ids) == len(set(page.ids))


def test_every_reference_inside_the_page_leads_somewhere(digits):
    _, page = digits
    assert {reference[1:] for reference in page.references if reference.startswith("#")} <= set(page.ids)


def test_the_page_shows_all_there_is_to_see(digits):
    text, page = digits
    for heading in (
        "The network",
        "The settings",
        "How it learned",
        "What it confuses",
        "What it got wrong",
        "What the first layer looks for",
        "How to repeat it",
    ):
        assert f"<h2>{heading}</h2>" in text
    for name in (
        "loss over the epochs",
        "accuracy over the epochs",
        "Confusion matrix",
        "Misclassified images",
        "First-layer weights",
    ):
        assert f'role="img" aria-label="{name}"' in text
    assert page.tags.count("svg") == 5
    assert page.tags.count("image") >= 12 + 5  # the units, and the mistakes


def test_the_page_names_settings_figures_and_the_command(digits):
    text, _ = digits
    assert re.search(r"<h1>digits: \d\d\.\d\d% of the test samples right</h1>", text)
    assert "<td>0 Linear</td><td>12</td>" in text
    assert "<th>learning rate</th><td>0.5</td>" in text
    assert "chainrule train --data digits --layers 64-12-10 --activation relu --loss cross-entropy" in text
    assert "E. Alpaydin and C. Kaynak (1998)" in text
    assert "Licence: CC BY 4.0" in text


def test_the_titles_of_the_mistakes_say_what_was_read_as_what(digits):
    text, _ = digits
    assert re.search(r">\d read as \d<", text)
    assert re.search(r">\d+% sure<", text)


def test_the_pictures_take_the_colour_of_the_page_s_text(digits):
    text, _ = digits
    assert "currentColor" in text
    assert "#2b2b2b" not in text
    assert "prefers-color-scheme: dark" in text


def test_the_page_is_about_as_large_as_its_pictures(digits):
    assert len(digits[0]) < 1_000_000


def test_points_in_the_plane_come_with_the_decisions(tmp_path):
    text, page = page_of(train(tmp_path, "--data", "blobs"))
    assert 'aria-label="Decision regions"' in text
    assert "What it got wrong" not in text
    assert "What the first layer looks for" not in text
    assert len(page.ids) == len(set(page.ids))


def test_a_regression_comes_with_the_fit_and_without_classes(tmp_path):
    text, _ = page_of(train(tmp_path, "--data", "parabola", "--epochs", "3"))
    assert 'aria-label="Prediction"' in text
    assert "<dt>R²</dt>" in text
    assert "Confusion" not in text


def test_early_stopping_is_told(tmp_path):
    text, _ = page_of(train(tmp_path, "--layers", "64-12-10", "--early-stopping", "1"))
    assert "Stopped early: validation_loss has not improved for 1 epochs" in text
    assert "<th>validation fraction</th><td>0.1</td>" in text


def test_what_is_no_probability_is_not_called_one(tmp_path):
    text, _ = page_of(train(tmp_path, "--layers", "64-9-10", "--loss", "squared-error", "--epochs", "2"))
    assert re.search(r">answer 0\.\d\d<", text)
    assert "% sure" not in text


def test_a_network_that_is_always_right_says_so(monkeypatch):
    digits = cr.data.load_digits()
    monkeypatch.setattr("chainrule.cli.report.misclassified", lambda *_: [])
    assert "every test image was read right" in page_for(digits)


def test_a_first_layer_without_weights_is_left_out():
    assert "What the first layer looks for" not in page_for(cr.data.load_digits(), layers="tanh,10")


def page_for(data, layers="64-3-10"):
    """The page of a short training on any data set."""
    nothing = dict.fromkeys(["activation", "start", "loss", "optimizer", "rate", "batch_size"])
    settings = {**nothing, "epochs": 1, "seed": 0, "validation_fraction": None, "early_stopping": None}
    recipe = complete(data, layers=layers, **settings)
    from chainrule.cli.recipe import build_network

    network = build_network(recipe, data)
    history = cr.train(network, data.train, validation=data.test, epochs=1, progress=False)
    return report_page(network, data, recipe, history, measure(network, data))


def test_whatever_comes_from_outside_is_escaped():
    digits = cr.data.load_digits()
    evil = "<script>alert('&\"')</script>"
    data = cr.data.DataSet(
        name="digits", train=digits.train, test=digits.test, image_shape=digits.image_shape,
        class_names=(evil, *"123456789"), source=evil, licence=evil, description=evil,
    )  # fmt: skip
    text = page_for(data)
    page = Page(text)
    assert "script" not in page.tags
    assert text.count("&lt;script&gt;") >= 4


def test_dollars_and_markup_of_matplotlib_in_names_stay_as_they_are():
    digits = cr.data.load_digits()
    data = cr.data.DataSet(
        name="digits", train=digits.train, test=digits.test, image_shape=digits.image_shape,
        class_names=("$x^2", "$a$", *"23456789"), source="$title", licence="", description="",
    )  # fmt: skip
    text = page_for(data)
    assert "Source: $title" in text
    assert ">$x^2<" in text
    assert ">$a$<" in text


def test_the_page_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chainrule.files.os.fsync", broken)
    result = CliRunner().invoke(app, ["train", "-q", "--data", "parabola", "--epochs", "1", "--report", str(path)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"chainrule: error: {path}: could not write the file")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_training_gives_the_same_page_but_for_its_time(tmp_path):
    first, second = (
        re.sub(r"<dt>Training</dt><dd>[^<]*</dd>", "", train(tmp_path, "--data", "xor", "--epochs", "3").read_text())
        for _ in range(2)
    )
    assert first == second
