"""Images changed at random, so that no network sees the same one twice: shifted, turned, enlarged, distorted, cut out.

The first four only say from which place of x each pixel of y is taken, so they are worked out together and x is read
once, by `warp_forward`. A place is a pair (row, column) in pixels, and need not be whole. Everything is drawn by
`random_bits`: the same seed, stream and step give the same images.
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation
from chainrule.operations.philox import random_bits


def even(bits: Array) -> Array:
    """Words of random bits as numbers from −1 to 1, all alike likely."""
    return bits / 2**31 - 1


@operation
def affine_places(
    x: Array,  # x (N, C, 5, 3)
    shift: float,  # shift = 1.5
    rotation: float,  # rotation = 40.0
    scale: float,  # scale = 0.2
    seed: int,  # seed = 7
    stream: int,  # stream = 3
    step: int,  # step = 9
) -> Array:
    """Pixel (h, w), seen from the middle of the image, is taken from R(θ) (h − down, w − across) / size.

    For each image are drawn: down and across up to ± `shift` pixels, θ up to ± `rotation` degrees, size up to
    1 ± `scale`. Of x only the shape and dtype matter.
    """
    N, _, H, W = x.shape
    u = even(random_bits.reference(4 * N, seed, stream, step)).reshape(4, N, 1, 1)
    down, across, angle, size = shift * u[0], shift * u[1], np.deg2rad(rotation * u[2]), 1 + scale * u[3]  # (N, 1, 1)
    h, w = np.arange(H)[:, None] - (H - 1) / 2 - down, np.arange(W) - (W - 1) / 2 - across  # (N, H, 1), (N, 1, W)
    rows = np.cos(angle) / size * h - np.sin(angle) / size * w + (H - 1) / 2  # (N, H, W)
    columns = np.sin(angle) / size * h + np.cos(angle) / size * w + (W - 1) / 2  # (N, H, W)
    places = np.stack([rows, columns], axis=1).astype(x.dtype)  # (N, 2, 5, 3)
    return places


def smoothing(length: int, sigma: float, like: Array) -> Array:
    """(length, length): a bell curve of deviation `sigma` around each pixel of a line, cut off at 3 sigma, of sum 1."""
    radius = np.ceil(3 * sigma)
    offset = np.arange(length)[:, None] - np.arange(length)
    bell = np.where(np.abs(offset) <= radius, np.exp(-(offset**2) / (2 * sigma**2)), 0)
    return (bell / np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2)).sum()).astype(like.dtype)


@operation
def elastic_places(
    places: Array,  # places (N, 2, 5, 3)
    alpha: float,  # alpha = 8.0
    sigma: float,  # sigma = 1.5
    seed: int,  # seed = 7
    stream: int,  # stream = 3
    step: int,  # step = 9
) -> Array:
    """Each place is moved by α · noise, where the noise, even from −1 to 1, has been smoothed over σ pixels.

    Source: Simard, Steinkraus & Platt 2003, "Best practices for convolutional neural networks", section 2.
    """
    bits = random_bits.reference(places.size, seed, stream, step).reshape(places.shape)  # (N, 2, 5, 3)
    noise = even(bits).astype(places.dtype)  # (N, 2, 5, 3)   beyond the edges it is 0
    rows, columns = smoothing(places.shape[2], sigma, places), smoothing(places.shape[3], sigma, places)
    moved = places + alpha * np.einsum("hi,nkij,wj->nkhw", rows, noise, columns, optimize=True)  # (N, 2, 5, 3)
    return moved


def shares(places: Array, length: int) -> Array:
    """(N, H, W, length): how much of each row, or column, of x a place takes; of the two it lies between, else 0."""
    return np.maximum(0, 1 - np.abs(places[..., None] - np.arange(length, dtype=places.dtype)))


@operation
def warp_forward(x: Array, places: Array, fill: float) -> Array:  # x (N, C, 5, 3), places (N, 2, 5, 3)
    """y_nchw = Σ_ij R_nhwi S_nhwj x_ncij + rest · fill: x at places between its pixels; around x there is `fill`."""
    rows, columns = shares(places[:, 0], x.shape[2]), shares(places[:, 1], x.shape[3])  # R (N, 5, 3, 5), S (N, 5, 3, 3)
    rest = 1 - rows.sum(axis=3) * columns.sum(axis=3)  # (N, 5, 3)   what lies outside of x
    y = np.einsum("nhwi,nhwj,ncij->nchw", rows, columns, x, optimize=True) + fill * rest[:, None]  # (N, C, 5, 3)
    return y


@operation
def warp_backward(dy: Array, places: Array) -> Array:  # dy (N, C, 5, 3), places (N, 2, 5, 3)
    """∂L/∂x_ncij = Σ_hw R_nhwi S_nhwj ∂L/∂y_nchw; the places are drawn and have no gradient."""
    rows, columns = shares(places[:, 0], dy.shape[2]), shares(places[:, 1], dy.shape[3])
    dx = np.einsum("nhwi,nhwj,nchw->ncij", rows, columns, dy, optimize=True)  # (N, C, 5, 3)
    return dx


@operation
def cutout_forward(
    x: Array,  # x (N, C, 5, 3)
    size: int,  # size = 2
    fill: float,
    seed: int,  # seed = 7
    stream: int,  # stream = 3
    step: int,  # step = 9
) -> tuple[Array, Array]:
    """A square of `size` pixels a side becomes `fill`; its middle is any pixel, so it may reach over the edge.

    Source: DeVries & Taylor 2017, "Improved regularization of convolutional neural networks with cutout".
    """
    N, _, H, W = x.shape
    words = random_bits.reference(2 * N, seed, stream, step).astype(np.uint64).reshape(2, N, 1, 1)
    middles = (words * np.array([H, W], np.uint64).reshape(2, 1, 1, 1)) >> np.uint64(32)  # below H, below W
    top, left = middles.astype(np.int64) - size // 2  # (N, 1, 1)
    h, w = np.arange(H)[:, None], np.arange(W)
    inside = (h >= top) & (h < top + size) & (w >= left) & (w < left + size)  # (N, H, W)
    mask = (~inside).astype(np.uint8)  # (N, 5, 3)
    y = np.where(mask[:, None], x, np.asarray(fill, x.dtype))  # (N, C, 5, 3)
    return y, mask


@operation
def cutout_backward(dy: Array, mask: Array) -> Array:  # dy (N, C, 5, 3), mask (N, 5, 3) < 2
    """What was cut out has no gradient."""
    dx = np.where(mask[:, None], dy, 0)  # (N, C, 5, 3)
    return dx
