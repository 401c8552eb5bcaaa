"""Things written down as JSON and built again from a closed register."""

import json
import math
from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule.configuration import Configurable, positive_number, real_number, whole_number
from chainrule.errors import SettingError
from chainrule.layers import Layer
from chainrule.losses import Loss

WRITTEN = [
    cr.Linear(30),
    cr.Linear(3, weights=cr.Normal(0.5, 2), biases=cr.He()),
    cr.LeakyReLU(0.2),
    cr.Reshape((1, 28, 28)),
    cr.Sequential((cr.Linear(2), cr.Sequential((cr.Tanh(),)))),
    cr.Sequential(()),
    cr.CrossEntropy(),
    cr.Adam(0.01, beta1=0.5),
    cr.Glorot(),
]


@pytest.mark.parametrize("thing", WRITTEN, ids=repr)
def test_goes_through_json_and_back(thing):
    text = json.dumps(thing.configuration(), allow_nan=False)
    copy = Configurable.from_configuration(json.loads(text))
    assert type(copy) is type(thing)
    assert repr(copy) == repr(thing)


def test_a_configuration_is_the_class_and_every_setting():
    assert cr.Linear(3, weights=cr.Normal(deviation=2)).configuration() == {
        "class": "Linear",
        "out_features": 3,
        "weights": {"class": "Normal", "mean": 0.0, "deviation": 2.0},
        "biases": {"class": "Zeros"},
    }


def test_numpy_numbers_are_written_as_plain_ones():
    assert json.loads(json.dumps(cr.Linear(np.int64(3)).configuration()))["out_features"] == 3
    assert json.loads(json.dumps(cr.SGD(np.float32(0.5)).configuration()))["learning_rate"] == 0.5


@pytest.mark.parametrize(
    ("base", "configuration", "message"),
    [
        (Layer, {"class": "Conv9"}, "'Conv9' is not the name of a known Layer"),
        (Layer, {"class": "CrossEntropy"}, "'CrossEntropy' is not the name of a known Layer"),
        (Loss, {"class": "Tanh"}, "'Tanh' is not the name of a known Loss"),
        (Layer, {"class": "os.system"}, "'os.system' is not the name of a known Layer"),
        (
            Layer,
            {"class": "Linear", "out_features": 3, "units": 4},
            "Linear has no setting 'units'; it has biases, out_",
        ),
        (Layer, {"class": "Tanh", "slope": 4}, "Tanh has no setting 'slope'; it has none"),
        (Layer, {"class": "Linear"}, "Linear: .*missing 1 required positional argument: 'out_features'"),
        (Layer, {"class": "Linear", "out_features": -1}, "Linear: out_features: expected a whole number"),
        (
            Layer,
            {"class": "Linear", "out_features": 1, "weights": {"class": "Tanh"}},
            "weights: expected an Initializer",
        ),
        (Layer, {"class": "Linear", "out_features": 1, "weights": {"class": "Secret"}}, "'Secret' is not the name"),
        (Layer, {"class": "Sequential", "layers": [{"class": "Glorot"}]}, "layer 0: expected a Layer"),
        (Layer, {"class": "Layer"}, "Layer cannot be described"),
        (Layer, {"class": 3}, "expected the description of a Layer"),
        (Layer, {"settings": {}}, "expected the description of a Layer"),
        (Layer, None, "expected the description of a Layer, got None"),
        (Layer, "Tanh", "expected the description of a Layer, got 'Tanh'"),
        (Layer, [{"class": "Tanh"}], "expected the description of a Layer"),
    ],
)
def test_a_description_that_is_unknown_or_incomplete_is_refused(base, configuration, message):
    with pytest.raises(SettingError, match=message):
        base.from_configuration(configuration)


@pytest.mark.usefixtures("registers")
def test_a_user_s_own_class_is_known_once_it_is_defined():
    @dataclass(eq=False)
    class Cube(Layer):
        side: int = 3

    assert Layer.from_configuration({"class": "Cube", "side": 4}).side == 4


@pytest.mark.usefixtures("registers")
def test_a_class_cannot_take_the_place_of_the_library_s():
    with pytest.raises(
        SettingError, match=r"the name Linear is taken by chainrule.layers.linear; give your class another"
    ):
        type("Linear", (Layer,), {})
    assert Configurable.register["Linear"] is cr.Linear


@pytest.mark.usefixtures("registers")
def test_a_user_may_define_a_class_of_their_own_again():
    """As one does in a notebook."""
    for side in (1, 2):
        made = dataclass(eq=False)(type("Cube", (Layer,), {"side": side, "__annotations__": {"side": int}}))
        assert Configurable.register["Cube"] is made


@pytest.mark.usefixtures("registers")
def test_a_class_that_is_no_dataclass_gets_a_hint():
    class Cube(Layer):
        side = 3

    for ask in (Cube().configuration, lambda: Layer.from_configuration({"class": "Cube"})):
        with pytest.raises(
            SettingError, match=r"Cube cannot be described: write @dataclass\(eq=False\) above the class"
        ):
            ask()


@pytest.mark.usefixtures("registers")
def test_a_setting_that_json_cannot_say_is_refused():
    @dataclass(eq=False)
    class Cube(Layer):
        function: object = len

    with pytest.raises(SettingError, match="a setting must be a number, text, a list or another part, got builtin"):
        Cube().configuration()


@pytest.mark.parametrize("value", [1, 7, np.int64(7), np.uint8(7), np.array(7)])
def test_a_whole_number_of_any_kind(value):
    assert whole_number(value, "size") == int(value)
    assert type(whole_number(value, "size")) is int


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", None, True, np.True_, [1], np.array([1]), np.array([1, 2]), 1j])
def test_what_is_no_whole_number_above_0_is_refused(value):
    with pytest.raises(SettingError, match="size: expected a whole number of at least 1, got"):
        whole_number(value, "size")


def test_the_least_whole_number_may_be_another():
    assert whole_number(0, "size", at_least=0) == 0
    with pytest.raises(SettingError, match="size: expected a whole number of at least 5, got 4"):
        whole_number(4, "size", at_least=5)


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.5), np.int8(3), np.array(2.5), 1e308])
def test_a_real_number_of_any_kind(value):
    assert real_number(value, "share") == float(value)
    assert type(real_number(value, "share")) is float


@pytest.mark.parametrize(
    "value", [-0.1, math.nan, math.inf, -math.inf, "1", None, True, np.True_, [1.0], np.array([1.0, 2.0]), 1j, 10**400]
)
def test_what_is_no_real_number_from_0_on_is_refused(value):
    with pytest.raises(SettingError, match="share: expected a finite number of at least 0, got"):
        real_number(value, "share")


def test_the_range_of_a_real_number_is_said():
    with pytest.raises(SettingError, match="share: expected a finite number of at least 0.5 and below 2, got 2"):
        real_number(2, "share", at_least=0.5, below=2)
    with pytest.raises(SettingError, match="share: expected a finite number, got nan"):
        real_number(math.nan, "share", at_least=-math.inf)


def test_a_positive_number_is_above_0():
    assert positive_number(1e-300, "rate") == 1e-300
    with pytest.raises(SettingError, match="rate: expected a number above 0, got 0"):
        positive_number(0, "rate")
