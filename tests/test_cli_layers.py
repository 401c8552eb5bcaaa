"""The language of --layers, and what a recipe makes of it."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.cli.layers import known_layers, parse_layers
from chainrule.cli.recipe import DEFAULTS, LOSSES, OPTIMIZERS, Recipe, build_network, complete
from chainrule.errors import SettingError

NOTHING = dict.fromkeys(
    [
        "layers",
        "activation",
        "start",
        "loss",
        "optimizer",
        "rate",
        "batch_size",
        "epochs",
        "validation_fraction",
        "early_stopping",
    ]
)


def recipe(name="digits", **options):
    return complete(cr.data.load(name), **{**NOTHING, "seed": 0, **options})


def kinds(layers):
    return [layer.out_features if isinstance(layer, cr.Linear) else type(layer).__name__ for layer in layers]


def test_sizes_with_dashes_go_from_input_to_output_with_an_activation_between():
    assert kinds(parse_layers("784-30-20-10", 784, activation="sigmoid")) == [30, "Sigmoid", 20, "Sigmoid", 10]


def test_two_sizes_are_one_layer():
    assert kinds(parse_layers("2-1", 2, activation="relu")) == [1]


def test_names_with_commas_are_layers_whatever_their_case_and_spaces():
    found = parse_layers("30, Sigmoid,20,ReLU,LEAKYRELU,10", 64, activation="tanh")
    assert kinds(found) == [30, "Sigmoid", 20, "ReLU", "LeakyReLU", 10]


def test_a_single_size_is_one_layer():
    assert kinds(parse_layers("10", 64, activation="relu")) == [10]


WITHOUT_SETTINGS = ["sigmoid", "tanh", "relu", "leakyrelu", "softplus", "identity", "step", "softmax", "logsoftmax"]
WITHOUT_SETTINGS += ["flatten", "gelu", "silu", "elu", "selu", "hardsigmoid", "maxout", "batchnorm", "layernorm"]
WITHOUT_SETTINGS += ["dropout", "gaussiannoise", "globalavgpool2d", "globalmaxpool2d"]


@pytest.mark.parametrize("name", WITHOUT_SETTINGS)
def test_every_layer_without_settings_has_a_name(name):
    assert type(parse_layers(f"4,{name}", 3, activation="relu")[1]).__name__.lower() == name


def test_a_layer_with_settings_that_must_be_given_has_none():
    assert not {"linear", "reshape", "dropconnect", "embedding", "layer"} & set(known_layers())


def test_layers_made_of_layers_have_none_either():
    assert not {"sequential", "residual", "parallel", "bidirectional", "eachstep", "composite"} & set(known_layers())


def test_a_newly_written_layer_has_a_name_at_once(registers):
    class Wobble(cr.Tanh):
        pass

    assert known_layers()["wobble"] is Wobble


def test_layers_are_new_each_time():
    first, second = (parse_layers("4,relu,4,relu", 3, activation="relu") for _ in range(2))
    assert not {id(layer) for layer in first} & {id(layer) for layer in second}


def starts(text, start=None, activation="sigmoid"):
    layers = parse_layers(text, 4, activation=activation, start=start)
    return [(type(n.weights).__name__, type(n.biases).__name__) for n in layers if isinstance(n, cr.Linear)]


def test_weights_start_as_the_activation_behind_them_likes_it():
    assert starts("4-3-2", activation="sigmoid") == [("Glorot", "Zeros"), ("Glorot", "Zeros")]
    assert starts("4-3-2", activation="relu") == [("He", "Zeros"), ("Glorot", "Zeros")]


def test_weights_start_where_they_are_told():
    assert starts("3,relu,2", "glorot") == [("Glorot", "Zeros")] * 2
    assert starts("3,tanh,2", "he") == [("He", "Zeros")] * 2
    assert starts("3,relu,2", "normal") == [("Normal", "Normal")] * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("784-30-10", "--layers 784-30-10: begins with 784, but a sample has 64 features; write 64-30-10"),
        ("30,sigmiod,10", "--layers 30,sigmiod,10: 'sigmiod' is not the name of a layer; known are "),
        ("30,,10", "a layer is missing"),
        ("", "a layer is missing"),
        ("64--10", "'64--10' is not the name of a layer"),
        ("-64-10", "'-64-10' is not the name of a layer"),
        ("64-0-10", "a size must be a whole number from 1 to 999999999, got 0"),
        ("0,10", "a size must be a whole number from 1 to 999999999, got 0"),
        ("64-99999999999-10", "a size must be a whole number"),
        ("3.5,10", "'3.5' is not the name of a layer"),
        ("²,10", "'²' is not the name of a layer"),
    ],
)
def test_what_is_wrong_in_the_layers_is_said(text, message):
    with pytest.raises(SettingError) as error:
        parse_layers(text, 64, activation="relu")
    assert message in str(error.value)


@pytest.mark.parametrize("name", [name for name in cr.data.NAMES if name != "mnist"])  # its files may not be here
def test_every_data_set_has_defaults_that_fit_it(name):
    found = recipe(name)
    assert build_network(found, cr.data.load(name)).input_shape == cr.data.load(name).train[0].shape[1:]


def test_the_defaults_know_the_data_sets():
    assert tuple(DEFAULTS) == cr.data.NAMES


def test_the_loss_suits_the_data_and_the_end_of_the_network():
    assert recipe("digits").loss == "cross-entropy"
    assert recipe("xor", layers="2-4-1").loss == "binary-cross-entropy"
    assert recipe("xor", layers="2-4-2").loss == "cross-entropy"
    assert recipe("xor", layers="4,tanh,1").loss == "binary-cross-entropy"
    assert recipe("parabola").loss == "squared-error"


def test_an_option_stands_in_the_place_of_its_default():
    found = recipe("digits", optimizer="Adam", rate=0.01, batch_size="full", epochs=3)
    assert (found.optimizer, found.learning_rate, found.batch_size, found.epochs) == ("adam", 0.01, 0, 3)
    assert found.build_optimizer().configuration() == cr.Adam(0.01).configuration()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_has_a_rate_of_its_own(name):
    assert recipe("digits", optimizer=name).build_optimizer().learning_rate > 0


def test_early_stopping_holds_samples_back_because_test_samples_must_decide_nothing():
    assert recipe("digits").validation_fraction is None
    assert recipe("digits", early_stopping=3).validation_fraction == 0.1
    assert recipe("digits", early_stopping=3, validation_fraction=0.3).validation_fraction == 0.3


def test_squared_error_on_classes_ends_in_a_sigmoid_where_only_sizes_are_given():
    digits = cr.data.load("digits")
    dashed = build_network(recipe("digits", loss="squared-error", layers="64-5-10", activation="tanh"), digits)
    named = build_network(recipe("digits", loss="squared-error", layers="5,tanh,10"), digits)
    assert kinds(dashed.layers) == [5, "Tanh", 10, "Sigmoid"]
    assert kinds(named.layers) == [5, "Tanh", 10]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("digits", {"layers": "64-9"}, "--layers 64-9: ends in 9 outputs; digits with cross-entropy needs 10"),
        ("digits", {"loss": "binary-cross-entropy"}, "answers yes or no, but digits has 10 classes"),
        ("digits", {"loss": "perceptron"}, "answers yes or no, but digits has 10 classes"),
        ("digits", {"layers": "sigmoid,step"}, "ends in 64 outputs"),
        ("xor", {"layers": "2-2", "loss": "binary-cross-entropy"}, "ends in 2 outputs; xor with binary"),
        ("parabola", {"loss": "cross-entropy"}, "parabola has a number to predict, not classes; use squared-error"),
    ],
)
def test_layers_loss_and_data_must_go_together(name, options, message):
    with pytest.raises(SettingError) as error:
        build_network(recipe(name, **options), cr.data.load(name))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hing"}, "--loss: expected one of cross-entropy, binary-cross-entropy, squared-error, perceptron"),
        ({"optimizer": "newton"}, "--optimizer: expected one of sgd, momentum, nesterov, adam, adamw, nadam, rmsprop"),
        ({"activation": "swish"}, "--activation: expected one of "),
        ({"start": "zeros"}, "--start: expected one of glorot, he, normal, got 'zeros'"),
        ({"batch_size": "many"}, "--batch-size: expected a whole number, 0 or full for the full batch, got 'many'"),
        ({"batch_size": "-1"}, "--batch-size: expected a whole number"),
        ({"rate": 0.0}, "--learning-rate: expected a number above 0"),
        ({"rate": float("nan")}, "--learning-rate: expected a finite number"),
        ({"validation_fraction": 1.0}, "--validation-fraction: expected a share above 0 and below 1, got 1"),
        ({"validation_fraction": float("nan")}, "--validation-fraction: expected a share"),
    ],
)
def test_an_option_that_cannot_be_is_named(options, message):
    with pytest.raises(SettingError) as error:
        recipe("digits", **options)
    assert message in str(error.value)


def test_every_loss_has_a_name_but_the_one_that_no_data_set_has_targets_for():
    every = {kind for kind in vars(cr.losses).values() if isinstance(kind, type) and issubclass(kind, cr.losses.Loss)}
    assert set(LOSSES.values()) == every - {cr.losses.Loss, cr.KullbackLeibler}


def test_the_command_of_a_recipe_names_every_setting_exactly():
    found = recipe("digits", layers="10, relu,10", rate=0.1234567890123, early_stopping=2)
    assert isinstance(found, Recipe)
    assert found.command() == (
        "chainrule train --data digits --layers '10, relu,10' --loss cross-entropy --optimizer sgd "
        "--learning-rate 0.1234567890123 --batch-size 10 --epochs 50 --seed 0 --validation-fraction 0.1 "
        "--early-stopping 2"
    )


def test_the_same_recipe_gives_the_same_first_weights():
    digits = cr.data.load("digits")
    first, second = (build_network(recipe("digits", layers="64-5-10"), digits).parameters for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_settings_follow_the_name_of_a_layer():
    text = "reshape:1x8x8,conv2d:4:3x2:1:1,relu,maxpool2d:2,dropout:0.25,flatten,10"
    image, filters, _, pool, dropout, _, last = parse_layers(text, 64, activation="relu")
    assert image.shape == (1, 8, 8)
    assert (filters.out_channels, filters.kernel_size, filters.stride, filters.padding) == (4, (3, 2), (1, 1), (1, 1))
    assert type(filters.weights) is cr.He  # a rectifier follows
    assert pool.size == (2, 2)
    assert dropout.rate == 0.25
    assert last.out_features == 10


def test_layers_of_every_family_take_settings():
    text = "dropconnect:20:0.3,batchnorm:0.2,gelu:true,gaussiannoise:0.05,elu:0.5,maxout:4,5"
    connect, norm, gelu, noise, elu, maxout, _ = parse_layers(text, 64, activation="relu", start="he")
    assert (connect.out_features, connect.rate, type(connect.weights)) == (20, 0.3, cr.He)
    assert (norm.momentum, gelu.tanh, noise.deviation, elu.alpha, maxout.pieces) == (0.2, True, 0.05, 0.5, 4)


def test_layers_for_images_have_names():
    text = "reshape:1x8x8,augment:1:15:0.1,depthwiseconv2d:3:4:1:same,convtranspose2d:2:4:2:1,upsample2d:2:bilinear"
    _, augment, depthwise, transposed, enlarge = parse_layers(text, 64, activation="relu")
    assert (augment.shift, augment.rotation, augment.scale, augment.cutout) == (1, 15, 0.1, 0)
    assert (depthwise.kernel_size, depthwise.depth_multiplier, depthwise.padding) == ((3, 3), 4, "same")
    assert (transposed.out_channels, transposed.kernel_size, transposed.stride) == (2, (4, 4), (2, 2))
    assert (enlarge.factor, enlarge.interpolation) == ((2, 2), "bilinear")


def test_weights_of_every_convolution_start_where_they_are_told():
    text = "conv1d:2:3,tanh,conv2d:2:3,tanh,convtranspose2d:2:3,tanh,depthwiseconv2d:3,tanh"
    for start, kinds in (("normal", ["Normal"] * 4), (None, ["Glorot", "Glorot", "Glorot", "He"])):
        layers = parse_layers(text, 4, activation="relu", start=start)[::2]
        assert [type(layer.weights).__name__ for layer in layers] == kinds


def test_recurrent_layers_have_names():
    _, lstm, last = parse_layers("reshape:8x8,lstm:16,10", 64, activation="relu")
    assert (type(lstm), lstm.hidden_size, last.out_features) == (cr.LSTM, 16, 10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conv3d:4,10", "'conv3d' is not the name of a layer"),
        ("conv2d:4,10", "conv2d:4: .*kernel_size"),
        ("conv2d:4:0,10", "conv2d:4:0: .*kernel_size"),
        ("dropout:often,10", "dropout:often: .*rate"),
        ("relu:1,10", "relu:1: "),
        ("sequential:1,10", "'sequential' is not the name of a layer"),
        ("bidirectional:1,10", "'bidirectional' is not the name of a layer"),
    ],
)
def test_wrong_settings_are_named(text, message):
    with pytest.raises(SettingError, match=message):
        parse_layers(text, 64, activation="relu")
