"""A layer that somebody adds is found by the common checks, and every mistake planted in it is caught."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from chainrule.initializers import Normal
from chainrule.layers import Layer, Linear, Sequential, Tanh
from chainrule.testing import all_layers, check_layer

pytestmark = pytest.mark.usefixtures("registers")


def plant(**mistakes):
    """A right layer y = x · scale, but for the methods given."""

    @dataclass(eq=False)
    class Scale(Layer):
        start: float = 1.0
        parameter_names: ClassVar[tuple[str, ...]] = ("scale",)

        def build(self, input_shape, rng):
            self.scale = Normal(self.start, 0)(rng, input_shape)
            return input_shape

        def forward(self, x, context):
            return x * self.scale, (x,)

        def backward(self, dy, saved):
            (x,) = saved
            return dy * self.scale, {"scale": (dy * x).sum(axis=0)}

    for name, function in mistakes.items():
        setattr(Scale, name, function)
    return Scale


def test_a_new_layer_is_found_by_itself():
    planted = plant()
    assert planted in all_layers()
    assert planted not in all_layers(within="chainrule.")


def test_a_right_layer_passes():
    check_layer(plant()(2.0), (3,))
    check_layer(Sequential((Linear(3), plant()(0.5), Tanh())), (2,))


def test_the_layer_given_is_not_built():
    layer = plant()()
    check_layer(layer, (3,))
    assert not hasattr(layer, "scale")


def wrong_sign(self, dy, saved):
    return -dy * self.scale, {"scale": (dy * saved[0]).sum(axis=0)}


def missing_factor(self, dy, saved):
    return dy * self.scale, {"scale": dy.sum(axis=0)}


def mean_for_sum(self, dy, saved):
    return dy * self.scale, {"scale": (dy * saved[0]).mean(axis=0)}


def not_summed(self, dy, saved):
    return dy * self.scale, {"scale": dy * saved[0]}


def another_name(self, dy, saved):
    return dy * self.scale, {"W": (dy * saved[0]).sum(axis=0)}


def used_up(self, dy, saved):
    x = saved[0].copy()
    saved[0][...] = 0
    return dy * self.scale, {"scale": (dy * x).sum(axis=0)}


@pytest.mark.parametrize(
    ("backward", "message"),
    [
        (wrong_sign, "Scale: dx: the derivative is wrong, relative error 2.0e.00"),
        (missing_factor, "Scale: gradient of scale: the derivative is wrong"),
        (mean_for_sum, "Scale: gradient of scale: the derivative is wrong, relative error 6.7e-01"),
        (not_summed, r"Scale: gradient of scale: expected shape \(2,\), got \(3, 2\)"),
        (another_name, r"Scale: expected gradients of the parameters \['scale'\], got \['W'\]"),
        (used_up, "Scale: x, by backward,: was changed"),
    ],
)
def test_a_wrong_backward_is_caught(backward, message):
    with pytest.raises(AssertionError, match=message):
        check_layer(plant(backward=backward)(), (2,))


def test_a_wrong_backward_within_a_sequence_is_caught():
    with pytest.raises(
        AssertionError, match="Sequential: gradient of layers.0.W: the derivative is wrong|Sequential: dx"
    ):
        check_layer(Sequential((Linear(3), plant(backward=wrong_sign)())), (2,))


def test_a_backward_wrong_only_in_training_is_caught():
    def forward(self, x, context):
        return x * self.scale * (2 if context.training else 1), (x,)

    with pytest.raises(AssertionError, match="the derivative is wrong"):
        check_layer(plant(forward=forward)(), (2,))


def test_backward_parameters_that_say_something_else_are_caught():
    with pytest.raises(AssertionError, match="Scale.backward_parameters: scale: relative difference"):
        check_layer(plant(backward_parameters=lambda self, dy, saved: {"scale": dy.sum(axis=0)})(), (2,))


def test_an_output_of_another_shape_than_promised_is_caught():
    def build(self, input_shape, rng):
        self.scale = Normal(1, 0)(rng, input_shape)
        return (7,)

    with pytest.raises(AssertionError, match=r"Scale: output for 0 samples: expected shape \(0, 7\), got \(0, 2\)"):
        check_layer(plant(build=build)(), (2,))


def test_a_changed_input_is_caught():
    def forward(self, x, context):
        x *= self.scale
        return x, (x / self.scale,)

    with pytest.raises(AssertionError, match="Scale: x: was changed"):
        check_layer(plant(forward=forward)(), (2,))


def test_float32_that_becomes_float64_is_caught():
    def forward(self, x, context):
        return np.float64(1) * x * self.scale, (x,)

    with pytest.raises(AssertionError, match="Scale in float32: output: expected float32, got float64"):
        check_layer(plant(forward=forward)(), (2,))


def test_a_sample_that_depends_on_its_neighbours_is_caught():
    def forward(self, x, context):
        return x * self.scale - x.sum(axis=0), (x,)

    def backward(self, dy, saved):
        return dy * self.scale - dy.sum(axis=0), {"scale": (dy * saved[0]).sum(axis=0)}

    with pytest.raises(AssertionError, match="Scale: output for row 0 alone: relative difference"):
        check_layer(plant(forward=forward, backward=backward)(), (2,))


def test_a_setting_lost_on_the_way_through_json_is_caught():
    def configuration(self):
        return {"class": "Scale", "start": self.start + 1}

    with pytest.raises(AssertionError, match="Scale: through JSON its configuration"):
        check_layer(plant(configuration=configuration)(), (2,))


def test_numbers_that_are_not_in_the_file_are_caught():
    def build(self, input_shape, rng):
        self.scale = Normal(1, 0)(rng, input_shape)
        self.offset = 0 if rng is None else rng.normal()
        return input_shape

    def forward(self, x, context):
        return x * self.scale + self.offset, (x,)

    with pytest.raises(AssertionError, match="Scale: saved and loaded it gives other numbers"):
        check_layer(plant(build=build, forward=forward)(), (2,))


def test_stand_ins_of_another_shape_are_caught():
    def build(self, input_shape, rng):
        self.scale = Normal(1, 0)(rng, input_shape if rng else ())
        return input_shape

    with pytest.raises(
        AssertionError, match=r"Scale: scale from build\(shape, None\): expected shape \(2,\), got \(\)"
    ):
        check_layer(plant(build=build)(), (2,))
