"""Scripts for NumPy, PyTorch and Keras: they run without the library and answer what the network answers."""

import ast
import csv
import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule.configuration import Configurable
from chainrule.export import (
    keras_layers,
    keras_losses,
    numpy_columns,
    numpy_layers,
    numpy_links,
    pytorch_layers,
    pytorch_losses,
    to_keras_script,
    to_numpy_script,
    to_pytorch_script,
)
from chainrule.layers import Context
from chainrule.layers.activations import Tanh
from chainrule.testing import all_layers, all_losses
from exported import EXAMPLES, example_network, room_of, samples_for
from random_networks import random_network

TARGETS = {"numpy": to_numpy_script, "pytorch": to_pytorch_script, "keras": to_keras_script}
TABLES = {
    "numpy": (numpy_layers, numpy_links),
    "pytorch": (pytorch_layers, pytorch_losses),
    "keras": (keras_layers, keras_losses),
}
SETTINGS = [cr.BinaryCrossEntropy(pos_weight=(1, 2, 3)), cr.BinaryCrossEntropy(2.0), cr.BinaryFocal(alpha=0.3)]
SETTINGS += [cr.CrossEntropy(0.1), cr.Focal(1.5, (0.3, 0.4, 0.5)), cr.Focal(alpha=2.0), cr.Huber(0.5)]
SETTINGS += [cr.CrammerSinger(0.7), cr.WestonWatkins(1.5, 2), cr.Hinge(1.5, 2)]
LOSSES = [kind() for kind in all_losses("chainrule.losses")] + SETTINGS

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch, not installed")
needs_keras = pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="needs Keras, not installed")


def cannot(target, layer):
    """What a target has no words for."""
    cells = getattr(layer, "layer", layer)
    masked = getattr(cells, "mask_value", None) is not None
    if target == "pytorch":
        return masked
    if target == "keras":
        return (masked and cells.return_sequences) or getattr(layer, "output_padding", None) == (2, 1)
    return False


def close(found, expected, limit):
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=limit * max(1, np.abs(expected).max(initial=0)))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.py"


def check_prediction(target, network, x, path, limit=1e-12):
    TARGETS[target](network, path)
    close(room_of(path)["predict"](x), network.predict(x), limit)


# NumPy


@pytest.mark.parametrize(("layer", "shape"), EXAMPLES, ids=str)
def test_every_layer_answers_the_same_in_plain_numpy(layer, shape, path):
    check_prediction("numpy", *example_network(layer, shape), path)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_every_link_is_in_the_numpy_script(loss, path):
    network = cr.Network([cr.Linear(3)], loss=loss, dtype="float64").build((4,))
    check_prediction("numpy", network, samples_for(network), path)


@pytest.mark.parametrize("seed", range(2000, 2015))
def test_a_random_network_answers_the_same_in_plain_numpy(seed, path):
    check_prediction("numpy", *random_network(seed, "float64"), path)


def test_the_numpy_script_is_a_program_that_needs_numpy_alone(path):
    layers = [cr.Linear(4), cr.Sigmoid(), cr.Linear(3)]
    network = cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64").build((5,))
    to_numpy_script(network, path)
    modules = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {getattr(node, "module", None) or node.names[0].name for node in modules} == {"sys", "pathlib", "numpy"}
    x = samples_for(network)
    np.save(path.with_name("samples.npy"), x)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    program = [sys.executable, "-W", "error", "model.py", "samples.npy"]
    printed = subprocess.run(program, cwd=path.parent, env=environment, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == str(network.predict(x))


def test_the_weights_beside_a_script_hold_no_pickle(path):
    network, _ = example_network(cr.Linear(4), (3,))
    to_numpy_script(network, path)
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as file:
        assert dict(file).keys() == network.arrays.keys()


# Every script


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("layer", "shape"), EXAMPLES, ids=str)
def test_every_layer_gives_a_script_that_python_understands_or_a_clear_refusal(target, layer, shape, path):
    network, _ = example_network(layer, shape)
    if cannot(target, layer):
        with pytest.raises(cr.errors.SettingError, match=r"layers\.0.* cannot say "):
            TARGETS[target](network, path)
        return
    TARGETS[target](network, path)
    text = path.read_text()
    ast.parse(text)
    assert max(len(line) for line in text.splitlines()) <= 120
    assert "\n\n\n\n" not in text


@pytest.mark.parametrize("target", TARGETS)
def test_every_layer_and_loss_has_words(target):
    layers, losses = TABLES[target]
    assert [kind.__name__ for kind in all_layers("chainrule.layers.") if kind not in layers] == []
    assert [kind.__name__ for kind in all_losses("chainrule.losses") if kind not in losses] == []


@pytest.mark.parametrize("target", TARGETS)
def test_a_layer_without_words_is_an_error_that_names_it(target, path, registers):
    @dataclass(eq=False)
    class Wave(Tanh):
        def forward(self, x, context):
            return super().forward(x, Context())

    network = cr.Network([cr.Sequential((Wave(),))], loss=cr.SquaredError()).build((3,))
    with pytest.raises(cr.errors.SettingError, match=rf"layers\.0\.layers\.0 \(Wave\) has no words.*{target}_layers"):
        TARGETS[target](network, path)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("target", TARGETS)
def test_a_loss_without_words_is_an_error_that_names_it(target, path, registers):
    @dataclass(eq=False)
    class Cubed(cr.SquaredError):
        def forward(self, f, t):
            return f

        def link(self, f):
            return f

    network = cr.Network([cr.Linear(2)], loss=Cubed()).build((3,))
    with pytest.raises(cr.errors.SettingError, match="the loss Cubed has no words"):
        TARGETS[target](network, path)


@pytest.mark.parametrize("target", TARGETS)
def test_a_script_must_be_called_py(target, tmp_path):
    with pytest.raises(cr.errors.SettingError, match=r"such as model\.py"):
        TARGETS[target](random_network(0)[0], tmp_path / "model.txt")


def test_a_script_must_not_hide_what_it_imports(tmp_path):
    with pytest.raises(cr.errors.SettingError, match=r"numpy\.py would hide the module numpy"):
        to_numpy_script(random_network(0)[0], tmp_path / "numpy.py")


# PyTorch and Keras, where they are


def a_network_of(loss, dtype):
    network = cr.Network([cr.Linear(3)], loss=loss, dtype=dtype).build((4,))
    return network, samples_for(network), loss.example_targets(np.random.default_rng(0), 4, 3)


@pytest.fixture
def keras_as_it_was():
    import keras

    before = keras.config.floatx(), keras.config.dtype_policy()
    yield keras
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


@needs_torch
def test_every_layer_answers_the_same_in_pytorch(path):
    for layer, shape in EXAMPLES:
        if not cannot("pytorch", layer):
            check_prediction("pytorch", *example_network(layer, shape), path)


@needs_torch
def test_every_loss_is_the_same_in_pytorch(path):
    import torch

    for loss in LOSSES:
        network, x, targets = a_network_of(loss, "float64")
        check_prediction("pytorch", network, x, path)
        _, t = network.check_data(x, targets)
        J = room_of(path)["cost"](torch.from_numpy(network.forward(x)[0]), torch.from_numpy(t))
        assert float(J) == pytest.approx(network.evaluate(x, targets)["loss"], abs=1e-12), loss


def test_cross_entropy_of_rows_is_the_same_elsewhere(path):
    network, x, _ = a_network_of(cr.CrossEntropy(0.1), "float32")
    rows = np.random.default_rng(0).dirichlet(np.ones(3), len(x)).astype(np.float32)
    f, cost = network.forward(x)[0], network.evaluate(x, rows)["loss"]
    if importlib.util.find_spec("torch"):
        import torch

        to_pytorch_script(network, path)
        J = room_of(path)["cost"](torch.from_numpy(f), torch.from_numpy(rows))
        assert float(J) == pytest.approx(cost, rel=1e-5)
    if importlib.util.find_spec("keras"):
        from keras import ops

        to_keras_script(network, path)
        each = room_of(path)["cost"](ops.convert_to_tensor(rows), ops.convert_to_tensor(f))
        assert float(ops.convert_to_numpy(each).mean()) == pytest.approx(cost, rel=1e-5)


KERAS_ROUNDS = {"gelu": 1e-8, "leaky": 1e-9, "bilinear": 1e-6}  # Keras works with float32 there


@needs_keras
def test_every_layer_answers_the_same_in_keras(path, keras_as_it_was):
    exact = keras_as_it_was.backend.backend() == "tensorflow"  # the others round to float32 on the way
    for layer, shape in EXAMPLES:
        if not cannot("keras", layer):
            rounded = [limit for name, limit in KERAS_ROUNDS.items() if name in repr(layer).lower()]
            network, x = example_network(layer, shape, "float64" if exact else "float32")
            check_prediction("keras", network, x, path, max(rounded, default=1e-12) if exact else 1e-5)


@needs_keras
def test_every_loss_is_the_same_in_keras(path):
    from keras import ops

    for loss in LOSSES:
        network, x, targets = a_network_of(loss, "float32")
        check_prediction("keras", network, x, path, 1e-5)
        _, t = network.check_data(x, targets)
        each = room_of(path)["cost"](ops.convert_to_tensor(t), ops.convert_to_tensor(network.forward(x)[0]))
        cost = network.evaluate(x, targets)["loss"]
        assert float(ops.convert_to_numpy(each).mean()) == pytest.approx(cost, rel=1e-5), loss


# Tables

TABLE = {
    "age": [31, None, 64, 22, 40, None, 51, 1e9],
    "town": ["Bern", "Oslo", "", 'the "Old" Town', "Bern", "Bern", "Oslo", "Graz"],
    "day": [f"2024-0{month}-11" for month in range(1, 9)],
    "moment": ["", *(f"2024-03-0{day}T08:30:00+02:00" for day in range(1, 8))],
    "note": ["good film", "bad plot", "good plot", "", "film film", "bad, bad end", "good end", "plot"],
}
NEW = {
    "age": [None, 30.5],
    "town": ["Ulm", 'the "Old" Town'],
    "day": ["1999-12-31"] * 2,
    "moment": ["2024-03-09 10:00", ""],
    "note": ["Good! new", ""],
}


@pytest.fixture
def learned():
    preprocessor = cr.tabular.TabularPreprocessor({"note": "text", "town": "category"}).fit(TABLE)
    metadata = {"preprocessing": preprocessor.to_dict()}
    network = cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy(), metadata=metadata)
    return network.build((len(preprocessor.feature_names),)), preprocessor


def test_the_numpy_script_of_a_table_reads_a_csv_file(learned, path):
    network, preprocessor = learned
    to_numpy_script(network, path)
    with path.with_name("new.csv").open("w", newline="") as file:
        csv.writer(file).writerows([NEW, *zip(*NEW.values(), strict=True)])
    room = room_of(path)
    x = room["samples"](room["read_table"](path.with_name("new.csv")))
    np.testing.assert_allclose(x, preprocessor.transform(NEW), rtol=1e-6, atol=1e-6)
    close(room["predict"](x), network.predict(preprocessor.transform(NEW)), 1e-6)
    assert max(len(line) for line in path.read_text().splitlines()) <= 120


def test_or_takes_the_numbers_alone(learned, path):
    network, _ = learned
    to_numpy_script(network, path, preprocessing=False)
    assert "csv" not in path.read_text()
    close(room_of(path)["predict"](samples_for(network)), network.predict(samples_for(network)), 1e-6)


def test_every_kind_of_column_has_words_in_numpy():
    from chainrule.tabular.column import Column

    kinds = [kind for kind in Configurable.register.values() if issubclass(kind, Column) and kind is not Column]
    assert {kind.__name__ for kind in kinds if kind not in numpy_columns} == {"IgnoredColumn"}
