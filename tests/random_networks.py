"""Networks drawn at random, whose layers fit each other, with weights that are not at their start."""

import numpy as np

import chainrule as cr

LOSSES = (
    cr.SquaredError,
    cr.CrossEntropy,
    cr.BinaryCrossEntropy,
    cr.Focal,
    cr.Huber,
    cr.Poisson,
    cr.Hinge,
    cr.CrammerSinger,
)


def random_network(seed, dtype="float32"):
    """A built network and 3 samples for it. The same seed gives the same."""
    rng = np.random.default_rng(seed)
    shape = random_shape(rng)
    layers, features = random_layers(rng, shape), int(rng.integers(2, 5))
    network = cr.Network([*layers, cr.Linear(features)], loss=chosen(rng, LOSSES)(), seed=seed, dtype=dtype)
    network.build(shape)
    for name, array in network.arrays.items():
        array += rng.normal(0, 0.1, array.shape).astype(array.dtype)
        if name.endswith("running_variance"):
            np.abs(array, out=array)
    return network, rng.normal(0, 1, (3, *shape)).astype(dtype)


def chosen(rng, things):
    """One of some things."""
    return things[int(rng.integers(len(things)))]


def random_shape(rng):
    """Features, a sequence or an image."""
    return tuple(int(n) for n in rng.integers(3, 9, size=rng.integers(1, 4)))


def random_layers(rng, shape):
    """Up to seven layers for samples of `shape`, the last of which gives a row of features."""
    layers = []
    for _ in range(int(rng.integers(1, 7))):
        layer = chosen(rng, {1: FLAT, 2: SEQUENCE, 3: IMAGE}[len(shape)])(rng, shape)
        try:
            shape = cr.Layer.from_configuration(layer.configuration()).build(shape, None)
        except cr.errors.ShapeError:  # an image that has become too small
            continue
        layers.append(layer)
    return layers if len(shape) == 1 else [*layers, cr.Flatten()]


def whole(rng, low, high):
    """A whole number from `low` to `high`."""
    return int(rng.integers(low, high + 1))


def activation(rng, shape):
    """Any layer that works element by element."""
    kinds = (cr.ReLU, cr.Sigmoid, cr.Tanh, cr.GELU, cr.SiLU, cr.ELU, cr.SELU, cr.Softplus, cr.HardSigmoid, cr.Identity)
    drawn = (lambda: cr.LeakyReLU(float(rng.random())), lambda: cr.ELU(float(rng.random())), lambda: cr.GELU(tanh=True))
    return chosen(rng, kinds + drawn)()


def linear(rng, shape):
    """A Linear layer."""
    return cr.Linear(whole(rng, 1, 8))


def beside(rng, shape):
    """Two ways that are joined, or a detour around layers that keep the shape."""
    inner = [activation(rng, shape), cr.BatchNorm(), activation(rng, shape)]
    if rng.random() < 0.5:
        return cr.Residual(inner)
    return cr.Parallel((cr.Sequential(inner), activation(rng, shape)), chosen(rng, ("sum", "concatenate")))


def flat_to_image(rng, shape):
    """A row of features as an image of one row."""
    return cr.Reshape((1, 1, -1))


def maxout(rng, shape):
    """Maxout of groups that fit."""
    return cr.Maxout(chosen(rng, [pieces for pieces in range(1, shape[0] + 1) if shape[0] % pieces == 0]))


def normal(rng, shape):
    """One of the two ways to normalise."""
    return chosen(rng, (cr.BatchNorm, cr.LayerNorm))(epsilon=0.01)


def recurrent(rng, shape):
    """Any recurrent layer, in one direction or both."""
    cells = chosen(rng, (cr.RNN, cr.LSTM, cr.GRU))(whole(rng, 1, 5), return_sequences=bool(rng.integers(2)))
    return chosen(rng, (cells, cr.Bidirectional(cells)))


def each_step(rng, shape):
    """The same for each step."""
    return cr.EachStep(cr.Sequential((linear(rng, shape), activation(rng, shape))))


def conv1d(rng, shape):
    """A convolution of a sequence."""
    return cr.Conv1D(whole(rng, 1, 4), whole(rng, 1, 3), stride=whole(rng, 1, 2), padding=whole(rng, 0, 2))


def windows(rng):
    """Sizes for the layers that slide windows over images."""
    return (
        (whole(rng, 1, 3), whole(rng, 1, 3)),
        (whole(rng, 1, 3), whole(rng, 1, 3)),
        (whole(rng, 0, 2), whole(rng, 0, 2)),
    )


def conv2d(rng, shape):
    """A convolution of images."""
    size, stride, padding = windows(rng)
    return cr.Conv2D(whole(rng, 1, 4), size, stride=stride, padding=padding)


def depthwise(rng, shape):
    """A convolution that does not mix channels."""
    size, stride, padding = windows(rng)
    return cr.DepthwiseConv2D(size, whole(rng, 1, 3), stride=stride, padding=padding)


def transposed(rng, shape):
    """A convolution that enlarges images."""
    size, stride, padding = windows(rng)
    more = tuple(whole(rng, 0, s - 1) for s in stride)
    return cr.ConvTranspose2D(whole(rng, 1, 3), size, stride=stride, padding=padding, output_padding=more)


def pool(rng, shape):
    """Any pooling by windows."""
    size, stride, _ = windows(rng)
    return chosen(rng, (cr.MaxPool2D, cr.AvgPool2D))(size, stride=stride)


def global_pool(rng, shape):
    """Any pooling of whole channels."""
    return chosen(rng, (cr.GlobalMaxPool2D, cr.GlobalAvgPool2D))()


def upsample(rng, shape):
    """A larger image."""
    return cr.Upsample2D((whole(rng, 1, 2), whole(rng, 1, 2)), chosen(rng, ("nearest", "bilinear")))


def softmax(rng, shape):
    """Softmax, or its logarithm."""
    return chosen(rng, (cr.Softmax, cr.LogSoftmax))()


def dropout(rng, shape):
    """What works in training alone."""
    return chosen(rng, (cr.Dropout, cr.GaussianNoise))()


FLAT = (linear, linear, activation, beside, normal, maxout, softmax, dropout, flat_to_image)
SEQUENCE = (recurrent, recurrent, each_step, conv1d, activation, normal, beside, dropout)
IMAGE = (
    conv2d,
    conv2d,
    depthwise,
    transposed,
    pool,
    global_pool,
    upsample,
    activation,
    normal,
    beside,
    maxout,
    dropout,
)
