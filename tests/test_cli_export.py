"""`chainrule export`, as a user meets it."""

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from exported import room_of, samples_for


def run(*arguments):
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, [str(a) for a in arguments], prog_name="chainrule")


@pytest.fixture
def model(tmp_path):
    network = cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(3)], loss=cr.CrossEntropy()).build((5,))
    network.save(tmp_path / "flowers.safetensors")
    return tmp_path / "flowers.safetensors"


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("onnx", ["flowers.onnx"]),
        ("numpy", ["flowers_numpy.npz", "flowers_numpy.py"]),
        ("pytorch", ["flowers_pytorch.npz", "flowers_pytorch.py"]),
        ("keras", ["flowers_keras.npz", "flowers_keras.py"]),
    ],
)
def test_it_is_written_beside_the_model(model, target, names):
    if target == "onnx":
        pytest.importorskip("onnx", reason="needs onnx, which is not installed")
    result = run("export", model, "--to", target)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in model.parent.iterdir()) == sorted([*names, model.name])
    assert all(str(model.with_name(name)) in result.stdout for name in names)


def test_or_where_one_wants_it(model, tmp_path):
    path = tmp_path / "scripts" / "mine.py"
    assert run("export", model, "--to", "numpy", "--output", path).exit_code == 0
    network = cr.load(model)
    x = samples_for(network)
    np.testing.assert_allclose(room_of(path)["predict"](x), network.predict(x), rtol=1e-5)


def test_a_network_of_a_table_reads_tables_or_numbers(tmp_path):
    preprocessor = cr.tabular.TabularPreprocessor().fit({"day": ["2024-03-31", "2025-01-01"] * 3, "n": range(6)})
    metadata = {"preprocessing": preprocessor.to_dict()}
    network = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy(), metadata=metadata)
    network.build((len(preprocessor.feature_names),)).save(tmp_path / "t.safetensors")
    assert "t_numpy.py new.csv  prints" in run("export", tmp_path / "t.safetensors", "--to", "numpy").stdout
    alone = run("export", tmp_path / "t.safetensors", "--to", "numpy", "--network-alone")
    assert "t_numpy.py samples.npy  prints" in alone.stdout
    refused = run("export", tmp_path / "t.safetensors", "--to", "onnx")
    assert (refused.exit_code, "--network-alone" in refused.stderr) == (2, True)
    assert run("export", tmp_path / "t.safetensors", "--to", "onnx", "--network-alone").exit_code == 0


def test_an_unknown_target_is_refused(model):
    result = run("export", model, "--to", "caffe")
    assert result.exit_code == 2
    assert result.stderr == "chainrule: error: --to: expected one of onnx, numpy, keras, pytorch, got 'caffe'\n"


def test_a_layer_without_words_is_an_error_in_one_line(tmp_path):
    network = cr.Network([cr.LSTM(2, mask_value=0.0)], loss=cr.SquaredError()).build((3, 2))
    network.save(tmp_path / "m.safetensors")
    result = run("export", tmp_path / "m.safetensors", "--to", "pytorch")
    assert result.exit_code == 2
    assert result.stderr.startswith("chainrule: error: layers.0 (LSTM): PyTorch cannot say mask_value")
