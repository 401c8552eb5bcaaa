"""`chainrule search` and `chainrule compare`: tables, files, figures for scripts, and every mistake in one line."""

import json
import shlex

import numpy as np
import pytest

import chainrule as cr
from test_cli import run, succeed

QUICK = ("--epochs", 1, "--layers", "64-8-10", "--folds", 2)


@pytest.fixture
def found(tmp_path):
    """What a small search prints as JSON."""
    return json.loads(succeed("search", *QUICK, "--learning-rate", "0.01,0.1,1e20", "--l2", "0,1", "--json"))


def test_a_search_prints_its_trials_and_the_command_that_trains_the_best():
    result = run("search", *QUICK, "--learning-rate", "0.01..1", "--activation", "relu,tanh")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "digits: 2-fold cross-validation on 1,437 samples; the test samples are not used."
    assert (
        lines[2].split() == ["learning_rate", "activation", "mean", "accuracy", "deviation"] or "activation" in lines[2]
    )
    assert "6 trials" in lines
    assert lines[-1].startswith("Train the best: chainrule train --data digits --layers 64-8-10 --activation ")
    assert result.stderr.count("trial ") == 6


def test_the_command_for_the_best_trains_it(found):
    assert found["best"]["learning_rate"] == 0.1
    text = succeed(*found["command"].split()[1:], "--quiet")
    assert text.startswith("Test accuracy ")


def test_what_failed_is_in_the_figures(found):
    assert [bool(trial["failed"]) for trial in found["trials"]] == [False] * 4 + [True] * 2
    assert found["trials"][4]["mean"] is None
    assert "too high" in found["trials"][4]["failed"]


def test_a_trial_of_the_command_is_a_cross_validation_of_the_library(found):
    network = cr.Network([cr.Linear(8, weights=cr.He()), cr.ReLU(), cr.Linear(10)], loss=cr.CrossEntropy())
    digits = cr.data.load_digits()
    for trial in found["trials"][:4]:
        alone = cr.cross_validate(
            network, digits.train, folds=2, epochs=1, batch_size=10, optimizer=cr.SGD(), **trial["settings"]
        )
        assert trial["scores"] == alone.scores.ravel().tolist()


def test_a_search_draws_a_picture_and_goes_on_from_its_checkpoint(tmp_path):
    settings = ("search", *QUICK, "--learning-rate", "0.01,0.1", "--l2", "0,1", "--json")
    files = ("--checkpoint", tmp_path / "search.json", "--picture", tmp_path / "map.png")
    first = succeed(*settings, *files)
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    again = run(*settings, *files, "--resume")
    assert (again.stdout, again.stderr) == (first, "")


def test_random_trials_and_processes_side_by_side():
    settings = ("search", "--data", "parabola", "--epochs", 1, "--learning-rate", "1e-4..1", "--trials", 3, "--json")
    found = json.loads(succeed(*settings))
    assert (len(found["trials"]), found["score"]) == (3, "r_squared")
    assert json.loads(succeed(*settings, "--workers", 2)) == found


def test_all_trials_may_fail():
    text = succeed("search", *QUICK, "--learning-rate", "1e20,1e25")
    assert text.splitlines()[-1] == "Every trial has failed; try lower learning rates."
    assert json.loads(succeed("search", *QUICK, "--learning-rate", "1e20,1e25", "--json"))["best"] is None


def test_losses_are_compared_by_what_they_decide():
    text = succeed("compare", *QUICK, "--loss", "cross-entropy,squared-error", "--repeats", 2)
    assert "loss cross-entropy is better than loss squared-error: mean accuracy 0." in text or "No difference" in text


def test_a_comparison_prints_tests_and_verdict():
    text = succeed("compare", "--layers", "64-2-10", "--layers", "64-20-10", "--epochs", 2, "--repeats", 2)
    assert "corrected resampled t-test: " in text
    assert text.splitlines()[-1].startswith("layers 64-20-10 is better than layers 64-2-10: mean accuracy 0.")


def test_a_comparison_for_scripts():
    found = json.loads(succeed("compare", *QUICK, "--optimizer", "adam,sgd", "--learning-rate", "0.01,0.1", "--json"))
    assert found["names"] == ["optimizer adam, learning rate 0.01", "optimizer sgd, learning rate 0.1"]
    assert len(found["a"]) == len(found["b"]) == 5
    assert found["corrected"]["degrees"] == 9
    assert set(found) == {
        "chainrule", "data", "names", "score", "a", "b", "paired", "corrected", "better", "verdict",
    }  # fmt: skip


@pytest.fixture
def table(tmp_path):
    """A table of the user's own: a price by size and colour."""
    rng = np.random.default_rng(0)
    rows = [(rng.uniform(10, 100), rng.choice(["red", "blue"])) for _ in range(120)]
    lines = [f"{size:.1f},{colour},{100 * size + 2000 * (colour == 'red'):.0f}" for size, colour in rows]
    path = tmp_path / "houses.csv"
    path.write_text("\n".join(["size,colour,price", *lines]))
    return path


def test_a_table_of_one_s_own_is_searched(table):
    text = succeed("search", table, "--target", "price", "--learning-rate", "0.001,0.01", "--epochs", 5)
    assert "To predict: 'price', a number" in text
    assert "mean R²" in text
    command = text.splitlines()[-1].removeprefix("Train the best: chainrule ")
    assert command.endswith("--target price")
    assert succeed(*shlex.split(command), "--quiet").startswith("Test loss ")


def test_classes_of_one_s_own_are_compared(table):
    text = succeed("compare", table, "--target", "colour", "--l2", "0,1", "--epochs", 2, "--repeats", 1)
    assert "To predict: 'colour', 2 classes" in text
    assert "mean accuracy" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search",), "say what to vary, such as --learning-rate 1e-7..1e-1"),
        (("search", "--optimizer", "adam"), "say what to vary"),
        (
            ("search", "--learning-rate", "fast,slow"),
            "--learning-rate: expected numbers with commas between, or a scale",
        ),
        (("search", "--learning-rate", "1..0.1"), "LogScale: expected lowest below highest"),
        (("search", "--epochs", "3,x"), "--epochs: expected whole numbers above 0, got 'x'"),
        (("search", "--activation", "relu,"), "--activation: a value is missing between the commas"),
        (("search", "--activation", "relu,rulu"), "--activation: expected one of"),
        (("search", "--layers", "64-8-10", "--layers", "64-8-9"), "--layers 64-8-9: ends in 9 outputs"),
        (("search", "--l2", "0,1", "--data", "iris"), "--data: expected one of"),
        (("search", "--l2", "0,1", "--workers", 0), "workers: expected a whole number of at least 1"),
        (("search", "--l2", "0,1", "--picture", "map.xyz"), "--picture: expected a file that ends in .png, .svg"),
        (("search", "--l2", "0,1", "--resume"), "resume: say from where, with checkpoint="),
        (("search", "--l2", "0,1", "--target", "price"), "--target: belongs to a table of your own"),
        (("compare",), "say in what A and B differ"),
        (("compare", "--l2", "0,1,2"), "--l2: expected one value, or A's and B's"),
        (("compare", "--learning-rate", "0.1..1"), "--learning-rate: expected one value, or A's and B's"),
    ],
)
def test_every_mistake_is_one_line(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"chainrule: error: {message}")
    assert "Traceback" not in result.output


def test_a_damaged_checkpoint_is_one_line(tmp_path):
    (tmp_path / "search.json").write_text("my thesis")
    result = run("search", *QUICK, "--l2", "0,1", "--checkpoint", tmp_path / "search.json")
    assert result.exit_code == 1
    assert "expected the checkpoint of a search, got another file" in result.stderr
