"""The command line as a user meets it: commands, figures, files, exit statuses, and every mistake in one line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app

PROGRAM = [sys.executable, "-c", "from chainrule.cli import main; main()"]
QUICK = ["--epochs", "2", "--layers", "64-12-10"]


def run(*arguments):
    """The command in this process."""
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, [str(a) for a in arguments], prog_name="chainrule")


def start(*arguments, **options):
    """The command in a process of its own."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def succeed(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def fail(status, *arguments):
    """The one line that the command complains with."""
    result = run(*arguments)
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("chainrule: error: ")
    return line.removeprefix("chainrule: error: ")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network for the digits, trained for a moment."""
    path = tmp_path_factory.mktemp("models") / "digits.safetensors"
    succeed("train", "--quiet", "--epochs", 4, "--output", path)
    return path


@pytest.fixture
def image(tmp_path):
    """A test digit as a person would draw it: large, dark on white, and in colours."""
    x, labels = cr.data.load_digits().test
    ink = (255 * x[0].reshape(8, 8)).astype(np.uint8)
    path = tmp_path / "digit.png"
    PIL.Image.fromarray(255 - np.kron(ink, np.ones((20, 20), np.uint8))).convert("RGB").save(path)
    return path, int(labels[0])


# What there is


def test_the_version_is_printed():
    assert succeed("--version") == f"chainrule {cr.__version__}\n"


def test_help_names_every_command():
    text = succeed("--help")
    assert all(command in text for command in ("train", "evaluate", "predict", "playground", "data"))


def test_without_a_command_there_is_help_and_status_two():
    result = run()
    assert result.exit_code in (0, 2)  # typer changed its mind between versions
    assert "Usage: chainrule" in result.output


@pytest.mark.parametrize("command", ["train", "evaluate", "predict", "playground", "data"])
def test_every_command_explains_itself(command):
    assert f"Usage: chainrule {command}" in succeed(command, "--help")


def test_help_draws_nothing_heavy_in():
    code = (
        "import sys\nfrom chainrule.cli import main\nsys.argv = ['chainrule', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print({'matplotlib', 'pandas', 'PIL', 'pooch', 'safetensors', 'scipy'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.splitlines()[-1] == "set()"


# train


def test_training_prints_the_network_its_outcome_and_how_to_go_on():
    text = succeed("train", *QUICK)
    assert "0 Linear   12                    780" in text
    assert "Training: cross-entropy, sgd with learning rate 0.5, batches of 10, 2 epochs, seed 0." in text
    assert re.search(r"Test accuracy \d\d\.\d\d% \(\d+ of 360 samples right\), loss 0\.\d+", text)
    assert "Confusion matrix" in text
    assert re.search(r"Most confused:\n  \d taken for \d: \d+ times", text)
    assert "2 epochs of training took" in text
    assert "The network was not saved; add --output" in text
    assert "Repeat it:   chainrule train --data digits --layers 64-12-10 --activation relu" in text


def test_the_progress_goes_to_the_error_stream():
    result = run("train", *QUICK)
    assert "epoch 1/2" in result.stderr
    assert "epoch 1/2" not in result.stdout


def test_quiet_prints_the_outcome_in_one_line():
    result = run("train", "--quiet", *QUICK)
    assert result.stderr == ""
    assert re.fullmatch(r"Test accuracy .* samples right\), loss .*\n", result.stdout)


def figures(*arguments):
    """What --json prints, which must be one object and nothing else."""
    return json.loads(succeed("train", "--json", *arguments), parse_constant=pytest.fail)


def test_json_holds_settings_figures_history_and_confusions():
    found = figures(*QUICK, "--seed", 3)
    assert set(found) == {
        "chainrule", "recipe", "parameters", "test", "class_names", "confusion_matrix", "most_confused_pairs",
        "history", "stopped", "seconds", "seconds_since_start", "output", "report",
    }  # fmt: skip
    assert found["recipe"]["seed"] == 3
    assert found["parameters"] == 64 * 12 + 12 + 12 * 10 + 10
    assert found["class_names"] == list("0123456789")
    matrix = np.array(found["confusion_matrix"])
    assert matrix.shape == (10, 10)
    assert matrix.sum() == found["test"]["samples"] == 360
    assert found["test"]["accuracy"] == pytest.approx(matrix.trace() / 360, abs=1e-12)
    worst = found["most_confused_pairs"][0]
    assert matrix[worst["true"], worst["predicted"]] == worst["count"] == (matrix - np.diag(matrix.diagonal())).max()
    assert len(found["history"]["loss"]) == len(found["history"]["validation_accuracy"]) == 2
    assert found["history"]["validation_accuracy"][-1] == found["test"]["accuracy"]
    assert 0 < found["seconds"] < found["seconds_since_start"]


def without_times(found):
    history = {k: v for k, v in found["history"].items() if k not in ("seconds", "samples_per_second")}
    return {**found, "seconds": 0, "seconds_since_start": 0, "history": history}


def test_the_same_seed_gives_the_same_figures_and_another_seed_others():
    first, second, other = (without_times(figures(*QUICK, "--seed", seed)) for seed in (1, 1, 2))
    assert first == second
    assert first["history"]["loss"] != other["history"]["loss"]


def test_the_command_that_is_printed_repeats_the_training(tmp_path):
    paths = [tmp_path / name for name in ("first", "second")]
    text = succeed("train", *QUICK, "--seed", 5, "--output", paths[0])
    command = re.search(r"Repeat it:   chainrule (.*)", text)[1].split()
    succeed(*command, "--quiet", "--output", paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_regression_prints_r_squared_and_no_confusions():
    text = succeed("train", "--data", "parabola")
    assert re.search(r"Test loss 0\.005\d*, R² 0\.98\d+ on 400 samples", text)
    assert "Confusion" not in text
    found = figures("--data", "parabola", "--epochs", 2)
    assert found["test"]["r_squared"] < 1
    assert found["test"]["accuracy"] is found["confusion_matrix"] is found["class_names"] is None


@pytest.mark.parametrize(
    "options",
    [
        ["--data", "xor"],
        ["--data", "xor", "--layers", "2-8-2", "--loss", "cross-entropy", "--optimizer", "nesterov"],
        ["--data", "rings", "--loss", "squared-error", "--layers", "8,tanh,2", "--optimizer", "momentum"],
        ["--data", "blobs", "--start", "normal"],
    ],
)
def test_toy_data_are_learned(options):
    assert figures(*options)["test"]["accuracy"] >= 0.97


def test_a_perceptron_learns_with_its_own_loss():
    found = figures("--data", "xor", "--layers", "2-1", "--loss", "perceptron", "--epochs", 2)
    assert found["recipe"]["loss"] == "perceptron"
    assert 0 <= found["test"]["accuracy"] <= 1


@pytest.mark.parametrize(
    ("data", "layers", "losses"),
    [
        ("xor", "2-8-1", ["binary-cross-entropy", "binary-focal", "hinge"]),
        ("blobs", "2-8-3", ["focal", "crammer-singer", "weston-watkins"]),
        ("parabola", "1-16-1", ["squared-error", "absolute-error", "huber", "poisson"]),
    ],
)
def test_every_loss_is_learned_with(data, layers, losses):
    for loss in losses:
        test = figures("--data", data, "--layers", layers, "--loss", loss)["test"]
        assert (test["accuracy"] or test["r_squared"]) >= 0.95


def test_penalties_are_those_of_the_library():
    penalties = {
        (): None,
        ("--l2", 0.5): cr.L2(0.5),
        ("--l1", 0.5, "--penalty-per", "none"): cr.L1(0.5, per="none"),
        ("--l1", 1, "--l2", 3, "--penalty-per", "sample"): cr.ElasticNet(4.0, 0.25, per="sample"),
    }
    for options, penalty in penalties.items():
        network = cr.Network([cr.Linear(5), cr.Tanh(), cr.Linear(1)], cr.BinaryCrossEntropy()).build((2,))
        data = cr.data.load("xor")
        settings = {"epochs": 2, "batch_size": 16, "optimizer": cr.Adam(0.005), "progress": False}
        history = cr.train(network, data.train, penalty=penalty, **settings)
        found = figures("--data", "xor", "--layers", "2-5-1", "--epochs", 2, *options)["history"]
        assert found["loss"] == history["loss"]


def test_clipping_summed_batches_and_averaged_weights_change_the_outcome():
    options = [], ["--clip", 0.1], ["--accumulate", 4], ["--average", 0.99]
    assert len({figures(*QUICK, "--quiet", *more)["test"]["loss"] for more in options}) == 4
    text = succeed("train", *QUICK, "--clip", 0.1, "--average", 0.99)
    assert "With gradients shortened to 0.1, a mean of the weights that keeps 0.99." in text


def test_a_training_that_was_stopped_goes_on_from_its_checkpoint(tmp_path):
    checkpoint, network, whole = (tmp_path / name for name in ("run.safetensors", "network", "whole"))
    keep = ["--checkpoint", checkpoint, "--checkpoint-every", "1epochs", "--resume"]
    succeed("train", *QUICK, "--quiet", *keep)
    succeed("train", *QUICK, "--quiet", "--epochs", 4, *keep, "--output", network)
    succeed("train", *QUICK, "--quiet", "--epochs", 4, "--output", whole)
    assert network.read_bytes() == whole.read_bytes()


def test_the_checkpoint_of_another_training_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    succeed("train", *QUICK, "--quiet", "--checkpoint", path)
    message = fail(2, "train", *QUICK, "--quiet", "--seed", 1, "--checkpoint", path, "--resume")
    assert "the checkpoint is of another training: " in message
    assert "seed was 0, is 1" in message


def test_the_whole_data_can_be_one_batch():
    for size in ("0", "full"):
        found = figures("--data", "blobs", "--epochs", 3, "--batch-size", size)
        assert found["recipe"]["batch_size"] == 0


def test_squared_error_on_classes_says_that_a_sigmoid_was_added():
    text = succeed("train", *QUICK, "--loss", "squared-error", "--activation", "sigmoid", "--learning-rate", "3")
    assert "With squared-error a sigmoid follows the last layer" in text
    assert "3 Sigmoid" in text


def test_early_stopping_stops_early_and_says_why():
    found = figures("--data", "digits", "--layers", "64-30-10", "--epochs", 200, "--early-stopping", 1)
    assert len(found["history"]["loss"]) < 200
    assert "validation_loss has not improved for 1 epochs" in found["stopped"]
    assert found["recipe"]["validation_fraction"] == 0.1


def test_the_default_reaches_97_percent_on_the_digits():
    assert figures("--quiet")["test"]["accuracy"] >= 0.97


# From training to an answer


def test_a_trained_network_is_saved_measured_and_asked(tmp_path, image):
    path = tmp_path / "new" / "folder" / "digits.safetensors"
    trained = figures("--output", path, "--epochs", 5)
    assert trained["output"] == str(path)
    measured = json.loads(succeed("evaluate", path, "--json"))
    assert measured["test"] == trained["test"]
    assert measured["confusion_matrix"] == trained["confusion_matrix"]
    picture, label = image
    answer = json.loads(succeed("predict", path, picture, "--json"))
    assert answer["predictions"][0]["class"] == str(label)


def test_the_file_says_what_the_network_is_for(model):
    metadata = cr.load(model).metadata
    assert metadata["data"] == "digits"
    assert metadata["image_shape"] == [8, 8]
    assert metadata["class_names"] == list("0123456789")
    assert metadata["recipe"]["layers"] == "64-100-10"


def test_training_says_where_the_network_lies_and_what_can_be_done_with_it(tmp_path):
    text = succeed("train", *QUICK, "--output", tmp_path / "a model.safetensors")
    name = f"'{tmp_path}/a model.safetensors'"  # quoted, as a shell needs it
    assert f"Network: {tmp_path}/a model.safetensors" in text
    assert f"chainrule predict {name} IMAGE.png" in text
    assert f"chainrule evaluate {name}" in text


# evaluate


def test_evaluate_prints_the_outcome(model):
    text = succeed("evaluate", model)
    assert text.startswith("digits: Handwritten digits")
    assert "Test accuracy" in text
    assert "Confusion matrix" in text


def test_evaluate_takes_a_network_that_was_saved_without_a_data_set(tmp_path):
    path = tmp_path / "plain.safetensors"
    cr.Network([cr.Linear(10)], loss=cr.CrossEntropy()).build((64,)).save(path)
    assert "--data: the model does not say which data" in fail(2, "evaluate", path)
    assert json.loads(succeed("evaluate", path, "--data", "digits", "--json"))["test"]["samples"] == 360


def test_evaluate_refuses_data_that_the_network_was_not_made_for(model, tmp_path):
    assert "expected samples of shape (64,), got (2,)" in fail(1, "evaluate", model, "--data", "xor")
    path = tmp_path / "two.safetensors"
    cr.Network([cr.Linear(2)], loss=cr.CrossEntropy()).build((2,)).save(path)
    assert "the network tells 2 classes apart, blobs has 3" in fail(1, "evaluate", path, "--data", "blobs")


# predict


def test_predict_draws_bars_and_says_what_it_did_to_the_picture(model, image):
    picture, label = image
    text = succeed("predict", model, picture)
    assert "converted to grey" in text
    assert "inverted: it has a light ground" in text
    assert "resized from 160 × 160 to 8 × 8 pixels" in text
    assert re.search(rf"^{label} █+ +\d+\.\d\d%$", text, re.MULTILINE)
    assert f"It is {label}." in text


def test_predict_as_json_gives_a_probability_for_each_class(model, image):
    picture, label = image
    found = json.loads(succeed("predict", model, picture, "--json"))
    assert set(found) == {"model", "input", "notes", "predictions"}
    assert len(found["notes"]) == 3
    (prediction,) = found["predictions"]
    assert prediction["class"] == str(label)
    assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert prediction["probability"] == max(prediction["probabilities"].values())


def test_predict_answers_for_every_row_of_an_array(model, tmp_path):
    x, _ = cr.data.load_digits().test
    np.save(tmp_path / "rows.npy", x[:7])
    expected = cr.load(model).predict(x[:7]).argmax(axis=1)
    text = succeed("predict", model, tmp_path / "rows.npy")
    assert [line.split()[1] for line in text.splitlines()] == [str(k) for k in expected]
    found = json.loads(succeed("predict", model, tmp_path / "rows.npy", "--json"))
    assert [p["class"] for p in found["predictions"]] == [str(k) for k in expected]


def test_predict_names_both_answers_of_a_network_with_one_score(tmp_path):
    succeed("train", "-q", "--data", "xor", "--output", tmp_path / "xor.safetensors")
    np.save(tmp_path / "point.npy", np.array([0.5, -0.5]))
    found = json.loads(succeed("predict", tmp_path / "xor.safetensors", tmp_path / "point.npy", "--json"))
    assert found["predictions"][0]["class"] == "opposite signs"
    assert set(found["predictions"][0]["probabilities"]) == {"equal signs", "opposite signs"}
    assert "It is opposite signs." in succeed("predict", tmp_path / "xor.safetensors", tmp_path / "point.npy")


def test_predict_gives_the_values_of_a_regression(tmp_path):
    succeed("train", "-q", "--data", "parabola", "--output", tmp_path / "line.safetensors")
    np.save(tmp_path / "x.npy", np.array([[0.0], [1.0]]))
    text = succeed("predict", tmp_path / "line.safetensors", tmp_path / "x.npy")
    np.testing.assert_allclose([float(line) for line in text.split()], [0.5, 1.5], atol=0.15)
    found = json.loads(succeed("predict", tmp_path / "line.safetensors", tmp_path / "x.npy", "--json"))
    assert [round(p["value"][0], 4) for p in found["predictions"]] == [round(float(v), 4) for v in text.split()]


def test_predict_numbers_the_classes_of_a_network_that_does_not_name_them(tmp_path):
    path = tmp_path / "plain.safetensors"
    cr.Network([cr.Linear(3)], loss=cr.CrossEntropy()).build((2,)).save(path)
    np.save(tmp_path / "x.npy", np.zeros(2))
    found = json.loads(succeed("predict", path, tmp_path / "x.npy", "--json"))
    assert list(found["predictions"][0]["probabilities"]) == ["0", "1", "2"]


@pytest.mark.parametrize("lie", [[8, 9], [-8, -8], [64], ["8", "8"], "8x8", None, [True, 64], {"h": 8}])
def test_predict_does_not_believe_an_image_shape_that_cannot_be(tmp_path, image, lie):
    path = tmp_path / "odd.safetensors"
    metadata = {"image_shape": lie, "class_names": lie}
    cr.Network([cr.Linear(3)], loss=cr.CrossEntropy(), metadata=metadata).build((64,)).save(path)
    assert "takes 64 numbers per sample, not pictures" in fail(1, "predict", path, image[0])


def test_names_from_a_file_cannot_steer_the_terminal(tmp_path):
    path = tmp_path / "odd.safetensors"
    names = ["\x1b[31mred", "[bold]b", "a\nb"]
    cr.Network([cr.Linear(3)], loss=cr.CrossEntropy(), metadata={"class_names": names}).build((2,)).save(path)
    np.save(tmp_path / "x.npy", np.zeros(2))
    text = succeed("predict", path, tmp_path / "x.npy")
    assert "\x1b" not in text
    assert "?[31mred" in text
    assert "[bold]b" in text
    assert "a b" in text


# data


def test_data_list_names_every_data_set():
    text = succeed("data", "list")
    assert [line.split()[0] for line in text.splitlines() if not line.startswith(" ")] == list(cr.data.NAMES)


def test_data_where_and_fetch_name_the_place():
    assert "digits.npz" in succeed("data", "where", "digits")
    assert succeed("data", "fetch", "digits") == succeed("data", "where", "digits")


def test_data_where_fetches_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert len(succeed("data", "where", "mnist").splitlines()) == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["where", "fetch"])
def test_data_that_does_not_exist_is_refused(command):
    assert "NAME: expected one of digits, mnist" in fail(2, "data", command, "cifar")


def test_mnist_that_cannot_be_fetched_is_said_without_a_traceback(tmp_path, monkeypatch):
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("chainrule.data.mnist.MIRRORS", ("https://127.0.0.1:1/",))
    result = run("data", "fetch", "mnist")
    assert result.exit_code == 1
    assert "chainrule: error: could not download train-images-idx3-ubyte.gz" in result.stderr
    assert "CHAINRULE_DATA" in result.stderr
    assert "Traceback" not in result.output


# Mistakes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--data", "cifar"],
            "--data: expected one of digits, mnist, xor, rings, spirals, blobs, parabola, got 'cifar'",
        ),
        (
            ["--layers", "784-30-10"],
            "--layers 784-30-10: begins with 784, but a sample has 64 features; write 64-30-10",
        ),
        (["--layers", "64-30-9"], "--layers 64-30-9: ends in 9 outputs; digits with cross-entropy needs 10"),
        (["--layers", "30,sigmiod,10"], "'sigmiod' is not the name of a layer; known are "),
        (["--loss", "hing"], "--loss: expected one of cross-entropy"),
        (["--loss", "huber"], "--loss huber: predicts numbers, but digits has classes; use cross-entropy"),
        (["--data", "parabola", "--loss", "focal"], "--loss focal: parabola has a number to predict, not classes"),
        (["--l2", "-1"], "--l2: expected a finite number of at least 0, got -1.0"),
        (["--penalty-per", "sample"], "--penalty-per: there is no penalty; give one with --l1 or --l2"),
        (["--l1", "1", "--penalty-per", "layer"], "--penalty-per: expected one of parameter, sample, none"),
        (["--clip", "0"], "--clip: expected a number above 0"),
        (["--average", "1"], "--average: expected a finite number of at least 0 and below 1, got 1.0"),
        (["--accumulate", "2", "--batch-size", "full"], "--accumulate: the full batch is one step already"),
        (["--resume"], "--resume: say where with --checkpoint FILE"),
        (["--checkpoint-every", "2s"], "--checkpoint-every: say where with --checkpoint FILE"),
        (["--checkpoint", "a", "--checkpoint-every", "2h"], "--checkpoint-every: expected a time such as 30s"),
        (["--checkpoint", "a", "--output", "a"], "--output and --checkpoint: both name a"),
        (["--loss", "perceptron"], "--loss perceptron: answers yes or no, but digits has 10 classes"),
        (["--optimizer", "newton"], "--optimizer: expected one of sgd"),
        (["--learning-rate", "-1"], "--learning-rate: expected a finite number of at least 0, got -1.0"),
        (["--batch-size", "x"], "--batch-size: expected a whole number"),
        (["--start", "ones"], "--start: expected one of glorot, he, normal"),
        (["--activation", "swish"], "--activation: expected one of "),
        (["--validation-fraction", "2"], "--validation-fraction: expected a share above 0 and below 1, got 2"),
    ],
)
def test_a_setting_that_cannot_be_is_one_line_and_status_two(options, message):
    assert message in fail(2, "train", *options)


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["train", "--wings", "2"],
        ["train", "--epochs", "0"],
        ["train", "--epochs", "many"],
        ["train", "--seed", "-1"],
        ["train", "--learning-rate", "fast"],
        ["train", "--early-stopping", "0"],
        ["train", "something"],
        ["evaluate"],
        ["predict", "model"],
        ["data", "burn"],
    ],
)
def test_a_wrong_use_is_status_two(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: chainrule" in result.stderr
    assert result.stdout == ""


def test_a_model_file_that_is_missing_or_none_is_status_one(tmp_path):
    garbage = tmp_path / "garbage.safetensors"
    garbage.write_bytes(b"\x80\x04K\x01.")
    picture = tmp_path / "x.npy"
    np.save(picture, np.zeros(64))
    for arguments in (["evaluate"], ["predict"]):
        rest = [picture] if arguments == ["predict"] else []
        assert fail(1, *arguments, tmp_path / "none", *rest) == f"{tmp_path}/none: No such file or directory"
        assert "got a Python pickle" in fail(1, *arguments, garbage, *rest)
        assert "got a folder" in fail(1, *arguments, tmp_path, *rest)


def test_an_input_that_is_missing_or_none_is_status_one(model, tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    np.save(tmp_path / "shape.npy", np.zeros((3, 5)))
    np.save(tmp_path / "nan.npy", np.full(64, np.nan))
    assert "No such file" in fail(1, "predict", model, tmp_path / "none.png")
    assert "neither a picture" in fail(1, "predict", model, tmp_path / "text.png")
    assert "got an array (3, 5)" in fail(1, "predict", model, tmp_path / "shape.npy")
    assert "values must be finite" in fail(1, "predict", model, tmp_path / "nan.npy")
    assert "got a folder" in fail(1, "predict", model, tmp_path)


def test_a_name_with_strange_characters_cannot_steer_the_terminal(model, tmp_path):
    message = fail(1, "predict", model, f"{tmp_path}/\x1b[2Jnone\rgone")
    assert "\x1b" not in message
    assert "?[2Jnone gone" in message


def no_training(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("training had begun")

    monkeypatch.setattr("chainrule.cli.train.train_network", refuse)


def test_what_cannot_be_written_is_found_out_before_training(tmp_path, monkeypatch):
    no_training(monkeypatch)
    (tmp_path / "file").write_text("x")
    for option in ("--output", "--report"):
        assert f"{option}: {tmp_path} is not a file" in fail(1, "train", option, tmp_path)
        assert "is not a folder" in fail(1, "train", option, tmp_path / "file" / "below")
        assert "no file can be written here" in fail(1, "train", option, "/proc/none/below")
        assert f"{option}: {os.devnull} is not a file" in fail(1, "train", option, os.devnull)
    assert "--output and --report: both name" in fail(
        2, "train", "--output", tmp_path / "same", "--report", tmp_path / "same"
    )


def test_a_report_without_matplotlib_is_refused_before_training(tmp_path, monkeypatch):
    no_training(monkeypatch)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "chainrule[plots]" in fail(1, "train", "--report", tmp_path / "report.html")


def test_a_training_that_diverges_says_why_and_what_to_do(tmp_path):
    path = tmp_path / "model.safetensors"
    result = run(
        "train", "-q", "--loss", "squared-error", "--layers", "9,relu,10", "--learning-rate", "1e9", "--output", path
    )
    assert result.exit_code == 1
    assert re.search(r"training stopped at epoch 1, step \d+: .*the learning rate 1e\+09 is too high", result.stderr)
    assert len(result.stderr.splitlines()) == 1
    assert not path.exists()


def test_a_network_too_large_for_the_memory_is_said_in_a_line():
    assert "Unable to allocate" in fail(1, "train", "--layers", "999999999,10")


# Signals, pipes, colours


def wait_for(process, text):
    """Read the error stream of `process` until `text` has come."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        line = process.stderr.readline()
        if text in line:
            return
        assert line, "the process ended"


def test_ctrl_c_stops_the_training_quietly_with_status_130(tmp_path):
    path = tmp_path / "model.safetensors"
    process = start("train", "--epochs", 1_000_000, "--output", path)
    wait_for(process, "epoch")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "chainrule: training stopped; nothing was saved"
    assert "Traceback" not in out + err
    assert not path.exists()


def test_ctrl_c_says_how_to_go_on_where_there_is_a_checkpoint(tmp_path):
    path = tmp_path / "run.safetensors"
    process = start("train", "--epochs", 1_000_000, "--checkpoint", path)
    wait_for(process, "epoch")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines()[-1] == f"chainrule: training stopped; go on from {path} with --resume"
    assert path.exists()


def test_a_reader_that_has_gone_away_is_no_error():
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen([*PROGRAM, "data", "list"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 141
    assert err == ""


def test_no_colour_where_none_is_wanted(model):
    environment = {**os.environ, "FORCE_COLOR": "1"}
    coloured = subprocess.run(
        [*PROGRAM, "evaluate", model], capture_output=True, text=True, env=environment, check=True, timeout=60
    )
    plain = subprocess.run(
        [*PROGRAM, "evaluate", model], capture_output=True, text=True, env={**environment, "NO_COLOR": "1"},
        check=True, timeout=60,
    )  # fmt: skip
    assert "\x1b[1;32m" in coloured.stdout
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", plain.stdout)


def test_the_installed_command_is_this_one():
    script = Path(sys.executable).with_name("chainrule")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"chainrule {cr.__version__}\n"


# What the manual says

MANUAL = Path(__file__).parents[1] / "docs" / "command-line.md"


def test_every_command_in_the_manual_runs(tmp_path, monkeypatch, image):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^\$ chainrule (.*)$", MANUAL.read_text("utf-8"), re.MULTILINE)
    assert len(commands) > 8
    for command in commands:
        assert succeed(*command.split())


def test_the_manual_names_every_option_and_no_other():
    known = set(re.findall(r"--[a-z][a-z0-9-]+", run("train", "--help").stdout)) - {"--help"}
    section = MANUAL.read_text("utf-8").split("## train")[1].split("### The layers")[0]
    assert set(re.findall(r"^\| .*?`(--[a-z0-9-]+)", section, re.MULTILINE)) == known


def test_the_manual_names_every_key_of_the_json():
    section = MANUAL.read_text("utf-8").split("that `train --json` prints:")[1]
    keys = {key for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for key in re.findall(r"`(\w+)`", cell)}
    assert keys == set(figures("--data", "blobs", "--epochs", 1))
