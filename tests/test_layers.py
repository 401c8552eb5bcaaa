"""Every layer passes the common checks on its own examples; then what is particular to some of them."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers import Context
from chainrule.randomness import stream
from chainrule.testing import all_layers, check_layer

EXAMPLES = [(layer, shape) for cls in all_layers(within="chainrule.") for layer, shape in cls.examples()]


@pytest.mark.parametrize(("layer", "input_shape"), EXAMPLES, ids=lambda item: str(item).replace(" ", ""))
def test_passes_the_common_checks(layer, input_shape):
    check_layer(layer, input_shape)


def test_the_layers_of_this_version_are_all_there():
    names = {cls.__name__ for cls in all_layers(within="chainrule.")}
    assert names >= {"Linear", "Sequential", "Flatten", "Reshape", "Softmax", "LogSoftmax", "Identity", "Step"}
    assert names >= {"ReLU", "LeakyReLU", "Softplus", "Sigmoid", "Tanh"}


ACTIVATIONS = [cr.Identity, cr.Step, cr.ReLU, cr.LeakyReLU, cr.Softplus, cr.Sigmoid, cr.Tanh]
ACTIVATIONS += [cr.GELU, cr.SiLU, cr.ELU, cr.SELU, cr.HardSigmoid]


@pytest.mark.parametrize("layer", ACTIVATIONS)
def test_an_activation_takes_samples_of_any_shape(layer):
    check_layer(layer(), (2, 3, 2))


def built(layer, input_shape):
    layer.build(input_shape, stream(0, "weights"))
    return layer


def forward(layer, x):
    return layer.forward(np.asarray(x, np.float64), Context())[0]


def test_linear_is_x_times_w_plus_b():
    layer = built(cr.Linear(2), (3,))
    layer.W[...] = [[1, 0], [0, 2], [3, 4]]
    layer.b[...] = [10, 20]
    assert forward(layer, [[1, 1, 1], [0, 0, 1]]).tolist() == [[14, 26], [13, 24]]


def test_linear_starts_from_its_initializers():
    layer = built(cr.Linear(5, weights=cr.Normal(3, 0), biases=cr.Normal(-1, 0)), (4,))
    assert (layer.W == 3).all()
    assert layer.W.shape == (4, 5)
    assert layer.b.tolist() == [-1] * 5


@pytest.mark.parametrize("size", [0, -3, 2.5, "3", None, True, [3], np.array([1, 2])])
def test_linear_refuses_a_size_that_is_none(size):
    with pytest.raises(cr.errors.SettingError, match="Linear: out_features: expected a whole number of at least 1"):
        cr.Linear(size)


@pytest.mark.parametrize("start", [cr.He, 0, None, "He", cr.Tanh()])
def test_linear_refuses_what_is_no_initializer(start):
    with pytest.raises(cr.errors.SettingError, match="Linear: weights: expected an Initializer, got"):
        cr.Linear(3, weights=start)


def test_an_initializer_that_was_not_called_gets_a_hint():
    with pytest.raises(cr.errors.SettingError, match=r"write He\(\)"):
        cr.Linear(3, biases=cr.He)


@pytest.mark.parametrize("slope", [-0.1, float("nan"), float("inf"), "steep", True, 10**400])
def test_leaky_relu_refuses_a_slope_that_is_none(slope):
    with pytest.raises(cr.errors.SettingError, match="LeakyReLU: slope: expected a finite number of at least 0"):
        cr.LeakyReLU(slope)


def test_the_slope_of_leaky_relu_is_used():
    assert forward(cr.LeakyReLU(0.5), [[-2, 4]]).tolist() == [[-1, 4]]


def test_flatten_keeps_the_order_of_the_numbers():
    layer = built(cr.Flatten(), (2, 3))
    assert forward(layer, [[[1, 2, 3], [4, 5, 6]]]).tolist() == [[1, 2, 3, 4, 5, 6]]


def test_reshape_works_out_the_entry_left_open():
    layer = cr.Reshape((-1, 2))
    assert layer.build((12,), None) == (6, 2)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 0), "Reshape: shape: expected a whole number of at least 1, got 0"),
        ((2, -2), "Reshape: shape: expected a whole number of at least 1, got -2"),
        ((-1, -1), "only one entry of the shape may be -1"),
        (6, r"expected a shape such as \(1, 28, 28\), got 6"),
        ((2.0, 3), "Reshape: shape: expected a whole number"),
        ("23", "expected a shape such as"),
    ],
)
def test_reshape_refuses_a_shape_that_is_none(shape, message):
    with pytest.raises(cr.errors.SettingError, match=message):
        cr.Reshape(shape)


def test_layers_in_sequence_are_functions_of_functions():
    inner = cr.Sequential((cr.Linear(3), cr.Tanh()))
    layer = built(cr.Sequential((inner, cr.Linear(2))), (4,))
    x = np.linspace(-1, 1, 8).reshape(2, 4)
    first, last = inner.layers[0], layer.layers[1]
    assert forward(layer, x) == pytest.approx(np.tanh(x @ first.W + first.b) @ last.W + last.b, rel=1e-14)


def test_parameters_of_a_sequence_are_named_by_place():
    layer = built(cr.Sequential((cr.Tanh(), cr.Sequential((cr.Linear(2),)), cr.Linear(1))), (3,))
    assert list(layer.parameters) == ["layers.1.layers.0.W", "layers.1.layers.0.b", "layers.2.W", "layers.2.b"]


def test_an_empty_sequence_is_the_identity():
    assert forward(built(cr.Sequential(()), (2,)), [[1, 2]]).tolist() == [[1, 2]]


def test_a_sequence_takes_layers_in_a_list_and_a_single_one():
    assert isinstance(cr.Sequential([cr.Tanh()]).layers, tuple)
    assert len(cr.Sequential(cr.Tanh()).layers) == 1


@pytest.mark.parametrize(("layers", "hint"), [([cr.Tanh, 3], r"write Tanh\(...\)"), (["tanh"], "got 'tanh'")])
def test_a_sequence_refuses_what_is_no_layer(layers, hint):
    with pytest.raises(cr.errors.SettingError, match=f"layer 0: expected a Layer, .*{hint}"):
        cr.Sequential(layers)


def test_a_sequence_refuses_one_object_in_two_places():
    layer = cr.Linear(3)
    with pytest.raises(cr.errors.SettingError, match="layer 2: the same Linear object stands here twice"):
        cr.Sequential((layer, cr.Tanh(), layer))


def test_the_first_layer_s_input_gradient_is_not_computed():
    """Layers without parameters at the start of a network are not asked for a gradient at all."""
    layer = built(cr.Sequential((cr.Tanh(), cr.Linear(2), cr.Tanh())), (3,))
    layer.layers[0].backward = layer.layers[1].backward = lambda *_: pytest.fail("asked for ∂L/∂x")
    y, saved = layer.forward(np.ones((2, 3)), Context())
    assert list(layer.backward_parameters(y, saved)) == ["layers.1.W", "layers.1.b"]


def test_backward_of_forward_is_repeatable_in_any_order():
    """What backward needs is returned by forward, not hidden on the layer: two passes may overlap."""
    layer = built(cr.Sequential((cr.Linear(3), cr.Sigmoid())), (2,))
    first, second = np.ones((1, 2)), np.full((4, 2), -2.0)
    y, saved = layer.forward(first, Context())
    expected, _ = layer.backward(np.ones_like(y), saved)
    layer.forward(second, Context())
    again, _ = layer.backward(np.ones_like(y), saved)
    assert np.array_equal(expected, again)


@pytest.mark.parametrize("cls", all_layers(within="chainrule."), ids=lambda cls: cls.__name__)
def test_says_what_it_is(cls):
    assert cls.__doc__
    assert "=" in cls.__doc__ or "shape" in cls.__doc__  # a formula, or the shape it makes


def test_the_base_class_leaves_the_mathematics_to_its_subclasses():
    for unwritten in (lambda: cr.Layer().forward(np.ones(1), Context()), lambda: cr.Layer().backward(np.ones(1), ())):
        with pytest.raises(NotImplementedError):
            unwritten()
