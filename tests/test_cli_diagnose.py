"""`chainrule diagnose`, and `chainrule train --doctor`."""

import json

import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app

TOO_FAST = ("train", "--data", "rings", "--learning-rate", "60", "--optimizer", "sgd", "--epochs", "8", "--quiet")


def run(*arguments):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(a) for a in arguments], prog_name="chainrule")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "rings.safetensors"
    assert run(*TOO_FAST, "--output", path).exit_code == 0
    return path


def test_a_doctor_looks_on_while_training(model):
    result = run(*TOO_FAST, "--doctor")
    assert result.exit_code == 0
    assert "Doctor, after epoch 5: learning rate too high.\n" in result.stderr
    assert result.stdout.startswith("Test accuracy ")


def test_a_saved_network_is_diagnosed(model):
    result = run("diagnose", model)
    assert result.exit_code == 0
    assert result.stdout.startswith("Trouble: learning rate too high\n  Seen: At a rate of 60 ")


def test_the_change_is_tried_on_request(model):
    said = json.loads(run("diagnose", model, "--try", "--json").stdout)
    assert said["findings"][0]["name"] == "learning rate too high"
    assert said["findings"][0]["change"].keys() == {"learning_rate"}
    assert said["tried"]["improves"]
    assert "at the end" in run("diagnose", model, "--try").stdout


def test_a_network_from_elsewhere_cannot_be_diagnosed(tmp_path):
    cr.Network([cr.Linear(2)], loss=cr.CrossEntropy()).build((2,)).save(tmp_path / "own")
    result = run("diagnose", tmp_path / "own")
    assert result.exit_code == 1
    assert "does not say how it was trained" in result.stderr


def test_a_network_for_a_table_of_ones_own_is_diagnosed(tmp_path):
    x, _ = cr.data.make_blobs(180, seed=0)
    rows = "\n".join(f"{a:.4f},{b:.4f},{c}" for (a, b), c in zip(x, "abc" * 60, strict=True))
    (tmp_path / "t.csv").write_text(f"p,q,kind\n{rows}\n")
    assert run("train", tmp_path / "t.csv", "--target", "kind", "--output", tmp_path / "m", "-q").exit_code == 0
    result = run("diagnose", tmp_path / "m")
    assert result.exit_code == 0, result.output
    assert "Trouble: wrong labels" in result.stdout  # the kinds say nothing about the points
