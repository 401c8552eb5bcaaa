"""JAX as a second oracle: it differentiates each layer's forward formulas by itself; our derivatives must be the same.

The formulas are NumPy. Here the same lines run with `jax.numpy` under the name `np`, so that nothing is written twice
but five helpers that JAX says in other words.
"""

import importlib
import pkgutil
from statistics import NormalDist

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers import Context
from chainrule.testing import all_layers
from chainrule.testing.layers import built

jax = pytest.importorskip("jax", reason="needs JAX: pip install jax")
jax.config.update("jax_enable_x64", True)

MODULES = [
    importlib.import_module(f"chainrule.operations.{found.name}")
    for found in pkgutil.iter_modules(cr.operations.__path__)
]
EXAMPLES = [
    pytest.param(layer, shape, id=f"{cls.__name__}-{number}")
    for cls in all_layers("chainrule.layers.")
    for number, (layer, shape) in enumerate(cls.examples())
]


def windows(x, size, stride):
    rows, columns = (
        np.arange(0, whole - part + 1, step)[:, None] + np.arange(part)
        for whole, part, step in zip(x.shape[2:], size, stride, strict=True)
    )
    return x[:, :, rows[:, None, :, None], columns[None, :, None, :]]


def windows_over(dy, size, stride, extent):
    height, width = size[0] - 1, size[1] - 1
    corners = jax.numpy.zeros((*dy.shape[:2], extent[0] + height, extent[1] + width), dy.dtype)
    rows, columns = height + stride[0] * np.arange(dy.shape[2]), width + stride[1] * np.arange(dy.shape[3])
    corners = corners.at[:, :, rows[:, None], columns].set(dy)
    return windows(corners, size, (1, 1))[..., ::-1, ::-1]


IN_THE_WORDS_OF_JAX = {
    "np": jax.numpy,
    "windows": windows,
    "windows_over": windows_over,
    "even": lambda bits: bits.astype(float) / 2**31 - 1,
    "complementary_error": jax.scipy.special.erfc,
    "inverse_normal": np.vectorize(NormalDist().inv_cdf, otypes=[float]),
}


def derivatives_by_jax(layer, x, dy, context, patch):
    """∂s/∂x and ∂s/∂parameter of s = Σ dy ⊙ y, where JAX differentiates the forward formulas."""
    start = {name: W.copy() for name, W in layer.parameters.items()}

    def s(x, parameters):
        layer.replace_parameters(lambda name, W: parameters.get(name, W))
        return (dy * layer.forward(x, context)[0]).sum()

    with patch.context() as patched, cr.backend("reference"):
        for module in MODULES:
            for name in IN_THE_WORDS_OF_JAX.keys() & vars(module).keys():
                patched.setattr(module, name, IN_THE_WORDS_OF_JAX[name])
        return jax.grad(s, argnums=(0, 1))(jax.numpy.asarray(x), start)


@pytest.mark.parametrize("training", [True, False], ids=["training", "prediction"])
@pytest.mark.parametrize(("layer", "shape"), EXAMPLES)
def test_the_derivatives_of_a_layer_are_those_that_jax_finds(layer, shape, training, monkeypatch):
    context = Context(training=training, seed=5, step=3)
    layer, output_shape = built(layer, shape)
    rng = np.random.default_rng(7)
    if layer.inputs_below is not None:
        x = rng.integers(0, layer.inputs_below, (4, *shape)).astype(np.float64)
    else:
        x = rng.normal(0, 1, (4, *shape))
    dy = rng.normal(0, 1, (4, *output_shape))
    dx, gradients = layer.backward(dy, layer.forward(x, context)[1])
    dx_jax, found = derivatives_by_jax(layer, x, dy, context, monkeypatch)
    np.testing.assert_allclose(dx, dx_jax, rtol=1e-10, atol=1e-13)
    for name, dW in gradients.items():
        np.testing.assert_allclose(dW, found[name], rtol=1e-10, atol=1e-13)
