"""ONNX models: what onnxruntime and onnx's own evaluator answer is what the network answers."""

import json
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule.export import onnx_layers, to_onnx
from chainrule.layers import Context
from chainrule.layers.activations import Tanh
from chainrule.testing import all_layers, all_losses
from exported import EXAMPLES, example_network, samples_for
from random_networks import random_network

onnx = pytest.importorskip("onnx", reason="needs onnx, which is not installed")
runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime, which is not installed")
MASKED = [(layer, shape) for layer, shape in EXAMPLES if "mask_value=0" in repr(layer)]
NOT_IN_ITS_EVALUATOR = ("activation='sigmoid'", "activation='relu'")  # which knows tanh alone


def run(path, **given):
    """The answer of onnxruntime."""
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (y,) = session.run(None, given)
    return y


def evaluated(path, x):
    """The answer of onnx's own evaluator."""
    from onnx.reference import ReferenceEvaluator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, in its arithmetic
        return ReferenceEvaluator(path).run(None, {"x": x})[0]


def close(found, expected, limit=1e-5):
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=limit * max(1, np.abs(expected).max(initial=0)))


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "model.onnx")


@pytest.mark.parametrize(("layer", "shape"), [e for e in EXAMPLES if e not in MASKED], ids=str)
def test_every_layer_answers_the_same(layer, shape, path):
    network, x = example_network(layer, shape, "float32")
    to_onnx(network, path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    close(run(path, x=x), network.predict(x))
    if not any(name in repr(layer) for name in NOT_IN_ITS_EVALUATOR):
        close(evaluated(path, x), network.predict(x))


@pytest.mark.parametrize(("layer", "shape"), [e for e in EXAMPLES if e not in MASKED], ids=str)
def test_every_layer_is_there_in_float64(layer, shape, path):
    network, x = example_network(layer, shape, "float64")
    to_onnx(network, path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    if not any(name in repr(layer) for name in NOT_IN_ITS_EVALUATOR):
        close(evaluated(path, x), network.predict(x), 1e-7)  # settings such as a slope are float32


@pytest.mark.parametrize("kind", all_losses("chainrule."), ids=lambda kind: kind.__name__)
def test_the_link_of_every_loss_is_in_the_model(kind, path):
    network = cr.Network([cr.Linear(3)], loss=kind()).build((4,))
    x = samples_for(network)
    to_onnx(network, path)
    close(run(path, x=x), network.predict(x))
    close(evaluated(path, x), network.predict(x))


@pytest.mark.parametrize("seed", range(1000, 1030))
def test_a_random_network_answers_the_same(seed, path):
    network, x = random_network(seed)
    to_onnx(network, path)
    close(run(path, x=x), network.predict(x))
    close(evaluated(path, x), network.predict(x))


@pytest.mark.parametrize("samples", [0, 1, 700])
def test_any_number_of_samples_goes_through(samples, path):
    network = cr.Network([cr.Conv2D(2, 3), cr.ReLU(), cr.Flatten(), cr.Linear(3)], loss=cr.CrossEntropy())
    network.build((1, 5, 4))
    to_onnx(network, path)
    x = samples_for(network, samples)
    close(run(path, x=x), network.predict(x))


def test_float64_stays_float64(path):
    network = cr.Network([cr.Linear(5), cr.Tanh(), cr.Linear(2)], loss=cr.CrossEntropy(), dtype="float64").build((3,))
    to_onnx(network, path)
    x = samples_for(network)
    close(run(path, x=x), network.predict(x), 1e-15)


def test_the_model_says_what_it_is(path):
    network = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy(), metadata={"class_names": ["no", "yes"]}).build((3,))
    to_onnx(network, path)
    model = onnx.load(path)
    assert {p.key: json.loads(p.value) for p in model.metadata_props} == {"class_names": ["no", "yes"]}
    assert {(o.domain, o.version) for o in model.opset_import} == {("", 17), ("ai.onnx.ml", 3)}
    (x,), (y,) = model.graph.input, model.graph.output
    assert (x.name, y.name) == ("x", "y")
    assert [[d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in (x, y)] == [["N", 3], ["N", 2]]
    assert {i.name for i in model.graph.initializer} == {"layers.0/W", "layers.0/b"}


def test_the_same_network_gives_the_same_bytes(tmp_path):
    for name in "ab":
        to_onnx(random_network(5)[0], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(("layer", "shape"), MASKED, ids=str)
def test_steps_that_are_skipped_are_refused_by_name(layer, shape, path):
    network, _ = example_network(layer, shape)
    with pytest.raises(cr.errors.SettingError, match=r"layers\.0.*: ONNX cannot say mask_value"):
        to_onnx(network, path)


def test_a_layer_without_words_is_an_error_that_names_it(path, registers):
    @dataclass(eq=False)
    class Wave(Tanh):
        def forward(self, x, context):
            return super().forward(x, Context())

    network = cr.Network([cr.Linear(2), Wave()], loss=cr.SquaredError()).build((3,))
    with pytest.raises(
        cr.errors.SettingError, match=r"layers\.1 \(Wave\) has no words in ONNX.*onnx_layers.says\(Wave\)"
    ):
        to_onnx(network, path)


def test_a_layer_of_ones_own_brings_its_words(path, registers):
    @dataclass(eq=False)
    class Twice(cr.Layer):
        def forward(self, x, context):
            return x + x, ()

    @onnx_layers.says(Twice)
    def twice(graph, place, x):
        return graph.node("Add", x, x)

    network = cr.Network([Twice()], loss=cr.SquaredError()).build((3,))
    x = samples_for(network)
    to_onnx(network, path)
    close(run(path, x=x), 2 * x)


def test_every_layer_has_words():
    assert [kind.__name__ for kind in all_layers("chainrule.layers.") if kind not in onnx_layers] == []


def test_a_network_without_weights_is_refused(path):
    with pytest.raises(cr.errors.NotBuiltError):
        to_onnx(cr.Network([cr.Linear(2)], loss=cr.SquaredError()), path)


def test_a_network_with_a_forward_pass_of_its_own_is_refused(path):
    class Other(cr.Network):
        def forward(self, x, **keywords):
            return super().forward(2 * x, **keywords)

    with pytest.raises(cr.errors.SettingError, match="Other has a forward pass of its own"):
        to_onnx(Other([cr.Linear(2)], loss=cr.SquaredError()).build((3,)), path)


def test_without_onnx_the_error_names_the_extra(path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(cr.errors.MissingExtraError, match=r"chainrule\[onnx\]"):
        to_onnx(random_network(0)[0], path)


# Tables


TABLE = {
    "age": [31, None, 64, 22, 40, None, 51, 1e9],
    "y": [0.5, 1.5, -2, 8, 7, 3, 1, 0],  # also the usual name of the output
    "town": ["Bern", "Oslo", "", "Graz", "Bern", "Bern", "Oslo", "Graz"],
    "code": [str(code) for code in range(8)],
}
NEW = {"age": [None, 30.5, 1e12], "y": [1, 2, 3], "town": ["", "Bern", "Ulm"], "code": ["7", "8", ""]}


def network_of(table, kinds, dtype="float32"):
    preprocessor = cr.tabular.TabularPreprocessor(kinds).fit(table)
    metadata = {"preprocessing": preprocessor.to_dict()}
    layers = [cr.Linear(5), cr.Tanh(), cr.Linear(3)]
    network = cr.Network(layers, loss=cr.CrossEntropy(), metadata=metadata, dtype=dtype)
    return network.build((len(preprocessor.feature_names),)), preprocessor


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_table_goes_in_as_its_columns(path, dtype):
    network, preprocessor = network_of(TABLE, {"code": "category"}, dtype)
    to_onnx(network, path)
    text = {name: np.array(NEW[name], object)[:, None] for name in ("town", "code")}
    numbers = {name: np.array(NEW[name], float)[:, None] for name in ("age", "y")}
    close(run(path, **text, **numbers), network.predict(preprocessor.transform(NEW)))


def test_a_column_that_onnx_cannot_read_is_refused_by_name(path):
    network, _ = network_of({"day": ["2024-03-31", "2025-01-01"] * 3, "n": [1, 2, 3, 4, 5, 6]}, {})
    with pytest.raises(
        cr.errors.SettingError, match=r"column 'day': ONNX has no words for a date.*preprocessing=False"
    ):
        to_onnx(network, path)
    to_onnx(network, path, preprocessing=False)
    x = samples_for(network)
    close(run(path, x=x), network.predict(x))


def test_preprocessing_of_another_width_is_refused(path):
    network, _ = network_of(TABLE, {})
    wider = cr.Network([cr.Linear(2)], loss=cr.SquaredError(), metadata=network.metadata).build((99,))
    with pytest.raises(cr.errors.SettingError, match=r"makes \d+ numbers of a row, the network takes \(99,\)"):
        to_onnx(wider, path)
