"""The command line on a user's own data: tables, arrays, folders of pictures and sounds."""

import csv
import json
import re
import wave

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli import tables
from chainrule.cli.app import app
from chainrule.cli.recipe import defaults_for
from chainrule.data import DataSet
from chainrule.evaluation import decide
from chainrule.tabular import TabularPreprocessor, read_csv


def run(*arguments):
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, [str(a) for a in arguments], prog_name="chainrule")


def succeed(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def fail(status, *arguments):
    """The one line that the command complains with."""
    result = run(*arguments)
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("chainrule: error: ")
    return line.removeprefix("chainrule: error: ")


def figures(*arguments):
    return json.loads(succeed("train", "--json", *arguments), parse_constant=pytest.fail)


def customers(rows, seed=0):
    """Rows of a table in which columns of every kind decide whether a customer leaves."""
    rng = np.random.default_rng(seed)
    found = []
    for n in range(rows):
        age, city, kind = rng.normal(40, 10), rng.choice(["Oslo", "Rome", "Lima"]), rng.choice(["good", "bad"])
        words = " ".join(rng.permutation(["price", "staff", "shop", "service", kind]))
        score = (age - 40) / 10 + (city == "Rome") + (kind == "bad") - 0.5
        found.append(
            {
                "id": n + 1,
                "age": "" if rng.random() < 0.1 else f"{age:.1f}",
                "city": city,
                "since": f"20{rng.integers(10, 24)}-{rng.integers(1, 13):02}-01",
                "comment": words,
                "spent": f"{50000 + 1000 * score + rng.normal(0, 100):.1f}",
                "left": "yes" if score > 0.7 else "no",
            }
        )
    return found


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write(tmp_path_factory.mktemp("table") / "customers.csv", customers(300))


@pytest.fixture(scope="module")
def model(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "left.safetensors"
    succeed("train", table, "--target", "left", "--column", "spent=ignore", "--quiet", "--output", path)
    return path


# Tables


def test_a_table_is_trained_on_and_everything_that_was_decided_is_told(table):
    text = succeed("train", table, "--target", "left", "--column", "spent=ignore", "--epochs", 3)
    assert "customers.csv: 300 rows, 7 columns." in text
    assert re.search(r"^id +ignore +- +numbers the rows$", text, re.MULTILINE)
    assert re.search(r"^age +number +2 +mean .*; \d+ gaps filled with the median .* and marked", text, re.MULTILINE)
    assert re.search(r"^spent +ignore +- +as you asked$", text, re.MULTILINE)
    assert re.search(
        r"^To predict: 'left', 2 classes: no \d+ \(\d+\.\d%\), yes \d+ \(\d+\.\d%\)\.$", text, re.MULTILINE
    )
    assert "240 samples to learn from, 60 to test on" in text
    assert re.search(
        r"Repeat it:   chainrule train \S+customers\.csv .*--target left --column spent=ignore$", text.strip()
    )


def test_what_is_learned_is_what_the_columns_say(table):
    found = figures(table, "--target", "left", "--column", "spent=ignore", "--epochs", 40)
    assert found["test"]["accuracy"] >= 0.9
    assert found["class_names"] == ["no", "yes"]
    assert found["recipe"]["target"] == "left"


def test_a_number_is_predicted_in_its_own_unit(table, tmp_path):
    found = figures(
        table, "--target", "spent", "--column", "left=ignore", "--output", tmp_path / "spent", "--epochs", 40
    )
    assert found["test"]["r_squared"] >= 0.85
    assert 50 < found["test"]["mean_absolute_error"] < 500
    lines = succeed("predict", tmp_path / "spent", table).splitlines()
    assert lines[0] == "prediction"
    assert 49_000 < np.mean([float(line) for line in lines[1:]]) < 52_000
    assert json.loads(succeed("evaluate", tmp_path / "spent", "--json"))["test"] == found["test"]


def test_the_task_can_be_given(tmp_path):
    path = write(tmp_path / "t.csv", [{"x": n % 10, "stars": 1 + n % 5} for n in range(60)])
    assert figures(path, "--target", "stars", "--epochs", 1)["class_names"] == list("12345")
    assert figures(path, "--target", "stars", "--task", "regression", "--epochs", 1)["class_names"] is None


def test_the_same_rows_are_tested_on_whatever_the_seed(table):
    texts = [figures(table, "--target", "left", "--epochs", 1, "--seed", seed)["confusion_matrix"] for seed in (0, 1)]
    assert [sum(row) for row in texts[0]] == [sum(row) for row in texts[1]]


def test_classes_are_held_back_by_their_shares(tmp_path):
    rows = [{"x": n, "y": "rare" if n % 20 == 0 else "common"} for n in range(200)]
    found = figures(write(tmp_path / "t.csv", rows), "--target", "y", "--epochs", 1)
    assert [sum(row) for row in found["confusion_matrix"]] == [38, 2]


def test_uneven_classes_are_noticed_and_can_be_balanced(tmp_path):
    rng = np.random.default_rng(0)
    rows = [{"x": f"{rng.normal() + (n % 10 == 0):.3f}", "y": "rare" if n % 10 == 0 else "common"} for n in range(400)]
    path = write(tmp_path / "t.csv", rows)
    text = succeed("train", path, "--target", "y")
    assert "The classes are uneven: always to answer 'common' is right 90.0% of the time." in text
    assert figures(path, "--target", "y")["confusion_matrix"][1][1] <= 1
    assert figures(path, "--target", "y", "--class-weight", "balanced")["confusion_matrix"][1][1] >= 5


def test_the_command_that_is_printed_repeats_the_training(table, tmp_path):
    paths = [tmp_path / name for name in ("first", "second")]
    text = succeed("train", table, "--target", "left", "--column", "spent=ignore", "--epochs", 2, "--output", paths[0])
    command = re.search(r"Repeat it:   chainrule (.*)", text)[1].split()
    succeed(*command, "--quiet", "--output", paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_training_goes_on_from_its_checkpoint(table, tmp_path):
    checkpoint, network, whole = (tmp_path / name for name in ("run", "network", "whole"))
    common = ["train", table, "--target", "spent", "--quiet", "--epochs", 4]
    keep = ["--checkpoint", checkpoint, "--checkpoint-every", "1epochs", "--resume"]
    succeed(*common, *keep)
    succeed(*common, *keep, "--output", network)  # has come to its end already
    succeed(*common, "--output", whole)
    assert network.read_bytes() == whole.read_bytes()


def test_rows_without_a_target_are_left_out_and_counted(tmp_path):
    rows = customers(100)
    for row in rows[::10]:
        row["left"] = ""
    text = succeed("train", write(tmp_path / "t.csv", rows), "--target", "left", "--epochs", 1)
    assert "10 rows have no 'left' and are left out." in text
    assert "72 samples to learn from, 18 to test on" in text


def test_a_few_rows_are_enough(tmp_path):
    rows = [{"x": n, "y": 2 * n + 0.5} for n in range(5)]
    assert "R² unknown on 1 sample" in succeed("train", write(tmp_path / "t.csv", rows), "--target", "y", "-q")
    rows = [{"x": n, "y": "ab"[n % 2]} for n in range(3)]
    assert "of 1 sample right" in succeed("train", write(tmp_path / "t.csv", rows), "--target", "y", "-q")


def test_a_report_is_written(table, tmp_path):
    succeed("train", table, "--target", "left", "--epochs", 1, "-q", "--report", tmp_path / "report.html")
    assert "customers.csv" in (tmp_path / "report.html").read_text()


# From a table to answers


def test_every_row_gets_one_line_with_its_probabilities(model, table, tmp_path):
    text = succeed("predict", model, table)
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 300
    assert list(rows[0]) == ["prediction", "probability", "p(no)", "p(yes)"]
    network = cr.load(model)
    preprocessor = TabularPreprocessor.from_dict(network.metadata["preprocessing"])
    answers = network.predict(preprocessor.transform(read_csv(table)))
    classes, sure = decide(answers)
    assert [row["prediction"] for row in rows] == [["no", "yes"][k] for k in classes]
    np.testing.assert_allclose([float(row["p(yes)"]) for row in rows], answers[:, 0], atol=5e-7)
    np.testing.assert_allclose([float(row["probability"]) for row in rows], sure, atol=5e-7)


def test_answers_can_be_written_to_a_file(model, table, tmp_path):
    path = tmp_path / "new" / "answers.csv"
    assert succeed("predict", model, table, "--output", path) == f"300 predictions: {path}\n"
    assert path.read_text() == succeed("predict", model, table)


def test_the_answers_are_those_of_the_exported_model(model, table, tmp_path):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    network = cr.load(model)
    cr.export.to_onnx(network, tmp_path / "left.onnx", preprocessing=False)  # dates and text are not ONNX's
    x = TabularPreprocessor.from_dict(network.metadata["preprocessing"]).transform(read_csv(table))
    (answers,) = onnxruntime.InferenceSession(tmp_path / "left.onnx").run(None, {"x": x})
    rows = csv.DictReader(succeed("predict", model, table).splitlines())
    np.testing.assert_allclose([float(row["p(yes)"]) for row in rows], answers[:, 0], atol=1.5e-6)


def test_nothing_is_said_of_rows_like_those_learned_from(table, tmp_path):
    succeed("train", table, "--target", "city", "-q", "--epochs", 1, "--output", tmp_path / "m")
    rows = customers(3)
    assert run("predict", tmp_path / "m", write(tmp_path / "new.csv", rows)).stderr == ""


def test_new_rows_may_lack_what_is_not_needed_and_hold_what_is_new(model, tmp_path):
    rows = [{"comment": "bad bad bad", "more": 1, "since": "2030-01-01", "city": "Quito", "age": 1000}] * 2
    result = run("predict", model, write(tmp_path / "new.csv", rows))
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 3
    complaints = result.stderr.splitlines()
    assert all(line.startswith(f"chainrule: {tmp_path}/new.csv: ") for line in complaints)
    assert "not used: 'more'" in complaints[0]
    assert "column 'age': 2 values beyond" in complaints[1]
    assert "column 'city': 2 rows with a value not met in training ('Quito')" in complaints[2]
    found = json.loads(run("predict", model, tmp_path / "new.csv", "--json").stdout)
    assert len(found["notes"]) == 3
    assert len(found["predictions"]) == 2


def test_a_new_table_that_cannot_be_read_is_refused_by_line_and_column(model, tmp_path):
    rows = customers(3)
    rows[1]["age"] = "forty"
    assert "new.csv, line 3, column 'age': 'forty' is not a number" in fail(
        1, "predict", model, write(tmp_path / "new.csv", rows)
    )
    path = write(tmp_path / "new.csv", [{"age": 1, "city": "Rome"}])
    assert "new.csv: 2 columns missing: 'since', 'comment'" in fail(1, "predict", model, path)
    np.save(tmp_path / "x.npy", np.zeros((2, 3)))
    assert "4 columns missing" in fail(1, "predict", model, tmp_path / "x.npy")


def test_evaluate_measures_the_rows_held_back_or_all_rows_of_another_file(model, table, tmp_path):
    assert "customers.csv: 60 samples, held back from the training." in succeed("evaluate", model)
    assert succeed("evaluate", model, table) == succeed("evaluate", model)
    other = write(tmp_path / "other.csv", customers(50, seed=1))
    assert "other.csv: 50 samples, all of them." in succeed("evaluate", model, other)
    assert json.loads(succeed("evaluate", model, other, "--json"))["test"]["accuracy"] > 0.8


def test_evaluate_refuses_what_cannot_be_compared(model, tmp_path):
    rows = customers(5)
    rows[2]["left"] = "maybe"
    assert "line 4, column 'left': 'maybe' is none of the classes no, yes" in fail(
        1, "evaluate", model, write(tmp_path / "t.csv", rows)
    )
    path = write(tmp_path / "t.csv", [{"age": 1, "city": "Rome"}])
    assert "there is no column 'left', with which to compare" in fail(1, "evaluate", model, path)
    path = write(tmp_path / "t.csv", [{**row, "left": ""} for row in rows])
    assert "column 'left' is empty" in fail(1, "evaluate", model, path)


def test_a_network_of_something_else_takes_no_table(tmp_path, table):
    succeed("train", "-q", "--epochs", 1, "--output", tmp_path / "digits")
    assert "was not trained on a table" in fail(1, "predict", tmp_path / "digits", table)
    assert "holds a table, which this network was not trained on" in fail(1, "evaluate", tmp_path / "digits", table)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"preprocessing": 1}, "preprocessing: expected a format and columns"),
        (
            {"preprocessing": TabularPreprocessor().fit({"a": [1, 2]}).to_dict()},
            "makes 1 numbers of a row, the network",
        ),
    ],
)
def test_a_model_file_is_not_believed(tmp_path, table, metadata, message):
    network = cr.Network([cr.Linear(2)], cr.CrossEntropy(), metadata=metadata).build((3,))
    network.save(tmp_path / "odd")
    assert message in fail(1, "predict", tmp_path / "odd", table)
    assert message in fail(1, "evaluate", tmp_path / "odd", table)


@pytest.mark.parametrize("stated", [{"target": 3}, {"class_names": "ab"}, {"class_names": ["a", "a"]}])
def test_what_a_model_file_says_of_its_target_is_not_believed(model, table, tmp_path, stated):
    network = cr.load(model)
    network.metadata |= stated
    network.save(tmp_path / "odd")
    result = run("evaluate", tmp_path / "odd", table)
    assert result.exit_code == 1
    assert "Traceback" not in result.output


# Mistakes


@pytest.mark.parametrize(
    ("status", "options", "message"),
    [
        (2, [], "--target: say which column is to be predicted; there are id, age, city"),
        (2, ["--target", "lefd"], "there is no column 'lefd'; there are 'id', 'age'"),
        (2, ["--target", "left", "--column", "spent"], "--column spent: expected NAME=KIND"),
        (2, ["--target", "left", "--column", "spent=money"], "--column spent: expected one of number, category"),
        (2, ["--target", "left", "--column", "cost=ignore"], "--column cost: there is no such column to learn from"),
        (2, ["--target", "left", "--column", "left=ignore"], "--column left: there is no such column to learn from"),
        (2, ["--target", "left", "--task", "guess"], "task: expected one of classification, regression"),
        (1, ["--target", "city", "--task", "regression"], "line 2, column 'city': "),
        (1, ["--target", "comment", "--task", "classification"], "too many for classes"),
        (2, ["--target", "spent", "--class-weight", "balanced"], "has a number to predict, not classes"),
        (2, ["--target", "left", "--class-weight", "fair"], "--class-weight: expected one of balanced"),
        (2, ["--target", "left", "--data", "digits"], "is the data already; give one of the two"),
        (2, ["--target", "left", "--layers", "2-1"], "begins with 2, but a sample has"),
        (2, ["--target", "spent", "--loss", "focal"], "has a number to predict, not classes"),
    ],
)
def test_a_wrong_option_is_one_line(table, status, options, message):
    assert message in fail(status, "train", table, *options)


def test_options_of_a_table_belong_to_a_table():
    assert "--target: belongs to a table of your own" in fail(2, "train", "--target", "y")
    assert "--column: belongs to a table of your own" in fail(2, "train", "--data", "xor", "--column", "a=ignore")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("a,y\n", "there are no rows"),
        ("a,y\n1,2\n3\n", "line 3: expected 2 cells as on the first line, got 1; column 'y'"),
        ("a,y\n1,yes\n", "column 'y' is always 'yes'; there is nothing to learn"),
        ("a,y\n1,yes\n1,no\n1,no\n", "there is no column to learn from: 'a' (always '1')"),
        ("y\n1\n2\n", "'y' is the only column; there is nothing to learn it from"),
        ("a,y\n1,2\n2,inf\n3,4.5\n", "line 3, column 'y': 'inf' is not finite"),
        ("a,y\n1,no\ninf,yes\n3,no\n", "line 3, column 'a': 'inf' is not finite"),
    ],
)
def test_a_table_that_cannot_be_learned_is_one_line(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_text(content)
    assert message in fail(1, "train", path, "--target", "y")


def test_another_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "notes.docx"
    path.write_text("x")
    assert "expected a table (.csv, .tsv, .txt, .parquet), arrays (.npz) or a folder" in fail(1, "train", path)


@pytest.mark.parametrize("columns", [10, 100])  # looked at after the columns, and before
def test_more_columns_than_a_model_file_holds_are_refused_before_training(tmp_path, monkeypatch, columns):
    monkeypatch.setattr(tables, "MOST_LEARNED", 1500)
    rows = [{f"column{k}": n * k + 0.5 for k in range(columns)} | {"y": "ab"[n % 2]} for n in range(9)]
    message = fail(1, "train", write(tmp_path / "wide.csv", rows), "--target", "y")
    assert re.search(r"columns takes \d,\d+ characters; a model file has room for 1,500\. Leave columns out", message)


# Arrays


def test_arrays_of_numbers_are_a_table(tmp_path):
    x, y = cr.data.load_digits().train
    np.savez(tmp_path / "d.npz", x=x, y=y)
    found = figures(tmp_path / "d.npz", "--epochs", 5, "--output", tmp_path / "m")
    assert found["test"]["accuracy"] > 0.8
    np.save(tmp_path / "new.npy", x[:7])
    assert len(succeed("predict", tmp_path / "m", tmp_path / "new.npy").splitlines()) == 7
    assert json.loads(succeed("evaluate", tmp_path / "m", "--json"))["test"] == found["test"]


def test_bytes_of_three_axes_are_pictures_and_the_test_samples_are_the_files_own(tmp_path):
    data = cr.data.load_digits()
    pictures = [(255 * x).astype(np.uint8).reshape(-1, 8, 8) for x, _ in (data.train, data.test)]
    one_hot = np.eye(10)[data.train[1]]
    path = tmp_path / "d.npz"
    np.savez(path, x_train=pictures[0], y_train=one_hot, x_test=pictures[1], y_test=np.eye(10)[data.test[1]])
    found = figures(path, "--epochs", 5, "--output", tmp_path / "m")
    assert found["test"]["samples"] == 360
    assert found["test"]["accuracy"] > 0.9
    assert "conv2d" in found["recipe"]["layers"]
    np.save(tmp_path / "new.npy", pictures[1][:3, None])
    lines = succeed("predict", tmp_path / "m", tmp_path / "new.npy").splitlines()
    assert [line.split()[1] for line in lines if line[0].isdigit()] == [str(k) for k in data.test[1][:3]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.ones(3)}, "expected arrays called x and y, or x_train, y_train, x_test, y_test; there are a"),
        ({"x": np.ones((3, 2)), "y": np.ones(2)}, "3 samples, but targets (2,); they must be as many"),
        ({"x": np.ones((3, 2)), "y": np.ones((3, 2))}, "expected one target for each sample (N,), or one-hot rows"),
        ({"x": np.ones((3, 3000)), "y": np.arange(3)}, "a sample has 3,000 numbers, more than the 2,000"),
        ({"x": np.array([[1, 2], [2, np.inf], [3, 3]] * 3), "y": np.arange(9) % 2}, "column 'x1': 'inf' is not finite"),
        ({"x": np.zeros((9, 4, 4, 2), np.uint8), "y": np.arange(9) % 2}, "C 1 or 3, got (9, 4, 4, 2)"),
        ({"x": np.array([[None]]), "y": np.ones(1)}, "expected numbers or text, got dtype object"),
    ],
)
def test_arrays_that_do_not_go_together_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "d.npz", **arrays)
    assert message in fail(1, "train", tmp_path / "d.npz")


# Folders


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Horizontal and vertical bars in colour."""
    folder = tmp_path_factory.mktemp("bars")
    rng = np.random.default_rng(0)
    for n in range(60):
        kind, array = ("flat", "tall")[n % 2], rng.integers(0, 60, (12, 12, 3)).astype(np.uint8)
        place = rng.integers(2, 9)
        array[(slice(None), slice(place, place + 2)) if n % 2 else slice(place, place + 2)] += 150
        (folder / kind).mkdir(exist_ok=True)
        PIL.Image.fromarray(array).save(folder / kind / f"{n}.png")
    return folder


@pytest.fixture(scope="module")
def picture_model(pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "bars.safetensors"
    text = succeed("train", pictures, "--epochs", 30, "--output", path, "--report", path.with_suffix(".html"))
    assert "60 pictures of 12 × 12 pixels, colour." in text
    assert "2 classes: flat 30 (50.0%), tall 30 (50.0%)." in text
    assert "12 samples right" in text or "accuracy 9" in text
    return path


def test_a_folder_of_pictures_is_learned_and_measured(picture_model, pictures):
    assert f"{pictures}: 12 samples, held back from the training." in succeed("evaluate", picture_model)
    assert json.loads(succeed("evaluate", picture_model, "--json"))["test"]["accuracy"] >= 0.9


def test_a_folder_is_asked_file_by_file(picture_model, pictures):
    rows = list(csv.DictReader(succeed("predict", picture_model, pictures).splitlines()))
    assert len(rows) == 60
    right = [row["file"].split("/")[0] == row["prediction"] for row in rows]
    assert np.mean(right) > 0.9


def test_a_single_picture_of_another_size_is_resized_and_said_so(picture_model, pictures, tmp_path):
    PIL.Image.open(pictures / "flat" / "0.png").resize((48, 48)).save(tmp_path / "new.png")
    text = succeed("predict", picture_model, tmp_path / "new.png")
    assert "1 of 1 pictures resized to 12 × 12 pixels" in text
    assert "It is flat." in text


def test_what_is_no_picture_is_named(picture_model, pictures, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    assert "notes.txt: neither a picture" in fail(1, "predict", picture_model, tmp_path)
    assert "notes.txt: neither a picture" in fail(1, "predict", picture_model, tmp_path / "notes.txt")
    (tmp_path / "empty").mkdir()
    assert "there is no file in this folder" in fail(1, "predict", picture_model, tmp_path / "empty")
    assert "there is no file in this folder" in fail(1, "train", tmp_path / "empty")
    assert "belongs to a table" in fail(2, "train", pictures, "--target", "y")


def test_a_folder_may_set_the_test_pictures_apart(pictures, tmp_path):
    for part, numbers in (("train", range(40)), ("test", range(40, 60))):
        for n in numbers:
            kind = ("flat", "tall")[n % 2]
            (tmp_path / part / kind).mkdir(parents=True, exist_ok=True)
            (tmp_path / part / kind / f"{n}.png").write_bytes((pictures / kind / f"{n}.png").read_bytes())
    assert figures(tmp_path, "--epochs", 1)["test"]["samples"] == 20


def test_other_classes_than_those_learned_are_refused(picture_model, pictures, tmp_path):
    for kind in ("flat", "steep"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "0.png").write_bytes((pictures / "flat" / "0.png").read_bytes())
    assert "holds the classes flat, steep, the network knows flat, tall" in fail(1, "evaluate", picture_model, tmp_path)


@pytest.mark.parametrize("lie", [[2, 12, 12], [3, 12], [3, 12, "12"], [3, -12, -12], [3, 12, 13], [True, 12, 12]])
def test_a_shape_of_pictures_that_cannot_be_is_not_believed(pictures, tmp_path, lie):
    network = cr.Network([cr.Linear(2)], cr.CrossEntropy(), metadata={"image_shape": lie}).build((432,))
    network.save(tmp_path / "odd")
    assert "takes 432 numbers per sample, not pictures" in fail(
        1, "predict", tmp_path / "odd", pictures / "flat" / "0.png"
    )


def test_a_folder_of_sounds_is_learned_measured_and_asked(tmp_path):
    rng = np.random.default_rng(0)
    for n in range(20):
        kind, hertz = (("low", 300), ("high", 2000))[n % 2]
        (tmp_path / "sounds" / kind).mkdir(parents=True, exist_ok=True)
        tone = 0.5 * np.sin(2 * np.pi * hertz * np.arange(2000) / 8000) + rng.normal(0, 0.05, 2000)
        with wave.open(str(tmp_path / "sounds" / kind / f"{n}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes((20000 * tone).astype("<i2").tobytes())
    found = figures(tmp_path / "sounds", "--output", tmp_path / "m")
    assert found["test"] == {**found["test"], "samples": 4, "accuracy": 1.0}
    assert json.loads(succeed("evaluate", tmp_path / "m", "--json"))["test"] == found["test"]
    rows = list(csv.DictReader(succeed("predict", tmp_path / "m", tmp_path / "sounds").splitlines()))
    assert all(row["file"].startswith(row["prediction"]) for row in rows)
    assert "It is low" in succeed("predict", tmp_path / "m", tmp_path / "sounds" / "low" / "0.wav")


# Defaults


@pytest.mark.parametrize(("rows", "batch_size", "epochs"), [(3, 16, 100), (1000, 16, 32), (80_000, 256, 10)])
def test_steps_and_penalty_suit_the_number_of_rows(rows, batch_size, epochs):
    x, y = np.zeros((rows, 7), np.float32), np.zeros(rows, np.int64)
    data = DataSet("mine", (x, y), (x, y), None, ("a", "b", "c"), "", "", "")
    found = defaults_for(data)
    assert found.layers == ("7-64-32-3" if rows >= 1000 else "7-32-3")
    assert (found.batch_size, found.epochs) == (batch_size, epochs)
    assert found.l2 == pytest.approx(min(0.02, 20 / rows), rel=0.3)
