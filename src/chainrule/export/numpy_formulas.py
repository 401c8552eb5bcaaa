"""The formulas that a NumPy script is made of: it takes over, word for word, those that its network needs.

Each function stands for itself, with NumPy alone, N samples first. They are written to be read, and say what a network
does in prediction; for the derivatives, and for what only training does, see `chainrule.operations`.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
# What is taken over into a script has no types: nobody checks them there.

import math

import numpy as np


def linear(x, W, b):
    """y_no = Σ_i x_ni W_io + b_o: every output sees every input."""
    return x @ W + b  # (N, I) @ (I, O) + (O,) → (N, O)


def step(x):
    """y = 1 where x ≥ 0, else 0."""
    return (x >= 0).astype(x.dtype)


def relu(x):
    """y = max(0, x)."""
    return np.maximum(x, 0)


def leaky_relu(x, slope):
    """y = x where x > 0, else slope · x."""
    return np.where(x > 0, x, slope * x)


def softplus(x):
    """y = log(1 + eˣ), written so that no exponent is positive."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x):
    """σ(x) = 1 / (1 + e⁻ˣ), and for x < 0 the same as eˣ / (1 + eˣ): no exponent is ever positive."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def tanh(x):
    """y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)."""
    return np.tanh(x)


def gelu(x):
    """y = x Φ(x) with the normal distribution Φ(x) = ½ erfc(−x/√2)."""
    share = np.vectorize(math.erfc, otypes=[float])(-x * math.sqrt(0.5)) / 2
    return x * share.astype(x.dtype)


def gelu_tanh(x):
    """y = ½ x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³)."""
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return x / 2 * (1 + np.tanh(u))


def silu(x):
    """y = x σ(x)."""
    return x * sigmoid(x)


def elu(x, slope, depth):
    """y = slope · x where x > 0, else depth · (eˣ − 1)."""
    return np.where(x > 0, slope * x, depth * np.expm1(np.minimum(x, 0)))


def hard_sigmoid(x):
    """y = x/6 + ½, held within 0 and 1."""
    return np.clip(x / 6 + 0.5, 0, 1)


def softmax(f):
    """p_k = e^{f_k} / Σ_i e^{f_i}; the largest score is taken off first, which changes nothing but keeps e^f small."""
    e = np.exp(f - f.max(axis=1, keepdims=True))  # (N, K)
    return e / e.sum(axis=1, keepdims=True)


def log_softmax(f):
    """y_k = f_k − log Σ_i e^{f_i}."""
    gap = f - f.max(axis=1, keepdims=True)  # (N, K)
    return gap - np.log(np.exp(gap).sum(axis=1, keepdims=True))


def largest(f):
    """1 for the largest score of each row, else 0."""
    return np.eye(f.shape[1], dtype=f.dtype)[f.argmax(axis=1)]


def windows(x, size, stride):
    """Each window of the images x (N, C, height, width): place (p, q) of window (i, j) is [n, c, i, j, p, q]."""
    every = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))
    return every[:, :, :: stride[0], :: stride[1]]


def zero_padded(x, padding):
    """Images with rows of zeros above and below, and columns of zeros left and right."""
    rows, columns = padding
    return np.pad(x, ((0, 0), (0, 0), (rows, rows), (columns, columns)))


def convolution(x, W, b, stride, padding):
    """y_noij = Σ_cpq W_ocpq x_nc,i·s+p,j·s+q + b_o: each filter o slides over all channels c."""
    seen = windows(zero_padded(x, padding), W.shape[2:], stride)  # (N, C, I, J, P, Q)
    return np.einsum("ncijpq,ocpq->noij", seen, W, optimize=True) + b[:, None, None]


def convolution_1d(x, W, b, stride, padding):
    """A convolution of sequences (N, C, length), which are images of one row."""
    return convolution(x[:, :, None], W[:, :, None], b, (1, stride), (0, padding))[:, :, 0]


def depthwise_convolution(x, W, b, stride, padding):
    """y_n,cM+m,ij = Σ_pq W_cM+m,pq x_nc,i·s+p,j·s+q + b_cM+m: M filters for each channel c, which see no other."""
    seen = windows(zero_padded(x, padding), W.shape[2:], stride)  # (N, C, I, J, P, Q)
    filters = W.reshape(x.shape[1], -1, *W.shape[2:])  # (C, M, P, Q)
    y = np.einsum("ncijpq,cmpq->ncmij", seen, filters, optimize=True)
    return y.reshape(len(x), len(W), *seen.shape[2:4]) + b[:, None, None]


def transposed_convolution(x, W, b, stride, padding, extent):
    """Each pixel x_ncij stamps its filters W_co, times its value, onto an image of `extent`, at (i·s, j·s)."""
    N, _, height, width = x.shape
    rows, columns = extent[0] + 2 * padding[0], extent[1] + 2 * padding[1]  # with what is cut off at the end
    y = np.zeros((N, W.shape[1], rows, columns), x.dtype)
    for p in range(W.shape[2]):
        for q in range(W.shape[3]):
            stamp = np.einsum("ncij,co->noij", x, W[:, :, p, q], optimize=True)
            y[:, :, p : p + height * stride[0] : stride[0], q : q + width * stride[1] : stride[1]] += stamp
    return y[:, :, padding[0] : rows - padding[0], padding[1] : columns - padding[1]] + b[:, None, None]


def max_pool(x, size, stride):
    """y = the largest x in each window."""
    return windows(x, size, stride).max(axis=(4, 5))


def average_pool(x, size, stride):
    """y = the mean of x in each window."""
    return windows(x, size, stride).mean(axis=(4, 5))


def global_max_pool(x):
    """y_nc = the largest pixel of channel c."""
    return x.max(axis=(2, 3))


def global_average_pool(x):
    """y_nc = the mean of channel c."""
    return x.mean(axis=(2, 3))


def upsample_nearest(x, factor):
    """Each pixel becomes a block of equal ones."""
    return x.repeat(factor[0], axis=2).repeat(factor[1], axis=3)


def interpolation(length, factor, dtype):
    """How much each of factor · length pixels has of each of `length` ones: (factor · length, length)."""
    centres = (np.arange(factor * length) + 0.5) / factor - 0.5  # a centre is half a pixel from the edge
    places = np.clip(centres, 0, length - 1)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(length))).astype(dtype)


def upsample_bilinear(x, factor):
    """y_nchw = Σ_ij R_hi x_ncij S_wj: between two pixels it goes from one to the other in a straight line."""
    R, S = interpolation(x.shape[2], factor[0], x.dtype), interpolation(x.shape[3], factor[1], x.dtype)
    return np.einsum("hi,ncij,wj->nchw", R, x, S, optimize=True)


def maxout(x, pieces):
    """y_o = the largest of the features o·pieces … o·pieces + pieces − 1; of images, the channels compete."""
    return x.reshape(len(x), -1, pieces, *x.shape[2:]).max(axis=2)


def batch_norm(x, gamma, beta, running_mean, running_variance, epsilon):
    """y = γ (x − μ) / √(σ² + ε) + β for each feature or channel, μ and σ² being those of the training."""
    along = (-1, *(1,) * (x.ndim - 2))  # (C,) → (C, 1, 1) for images
    z = (x - running_mean.reshape(along)) / np.sqrt(running_variance + epsilon).reshape(along)
    return gamma.reshape(along) * z + beta.reshape(along)


def layer_norm(x, gamma, beta, epsilon):
    """y = γ (x − μ) / √(σ² + ε) + β with μ and σ² over the last axis of each sample."""
    gap = x - x.mean(axis=-1, keepdims=True)
    variance = (gap * gap).mean(axis=-1, keepdims=True)
    return gamma * gap / np.sqrt(variance + epsilon) + beta


def embedding(x, W):
    """Row v of W (words, features) for each word v."""
    return W[x.astype(int)]


def counted_steps(x, mask_value):
    """Which steps of x (N, T, I) count (N, T): all but those whose every feature is `mask_value`."""
    return (x != mask_value).any(axis=2)


def masked(h, counts, mask_value):
    """The states of the steps that count, and `mask_value` for the others."""
    return np.where(counts[:, :, None], h, h.dtype.type(mask_value))


def rnn(x, W, U, b, activation):
    """h(t) = f(x(t) W + h(t−1) U + b) for t = 1 … T, from h(0) = 0."""
    h, states = np.zeros((len(x), len(U)), x.dtype), []
    for t in range(x.shape[1]):
        h = activation(x[:, t] @ W + h @ U + b)  # (N, H)
        states.append(h)
    return np.stack(states, axis=1)  # (N, T, H)


def lstm(x, W, U, b):
    """A cell c that is forgotten by f, written to by i, and seen through o: long short-term memory.

    c(t) = f c(t−1) + i g;  h(t) = o tanh(c(t));  i, f, g and o stand side by side in W, U and b.
    """
    h, states = np.zeros((len(x), len(U)), x.dtype), []
    c = h
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)  # each (N, H)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.stack(states, axis=1)  # (N, T, H)


def gru(x, W, U, b, v):
    """A state that z keeps or replaces by n, which sees as much of it as r says: the gated recurrent unit.

    n = tanh(x W_n + b_n + r (h U_n + v));  h(t) = (1 − z) n + z h(t−1);  r, z and n stand side by side in W, U and b.
    """
    h, states = np.zeros((len(x), len(U)), x.dtype), []
    for t in range(x.shape[1]):
        a_r, a_z, a_n = np.split(x[:, t] @ W + b, 3, axis=1)  # each (N, H)
        u_r, u_z, u_n = np.split(h @ U, 3, axis=1)
        r, z = sigmoid(a_r + u_r), sigmoid(a_z + u_z)
        n = np.tanh(a_n + r * (u_n + v))
        h = (1 - z) * n + z * h
        states.append(h)
    return np.stack(states, axis=1)  # (N, T, H)


def without_masked_steps(x, counts, cells, weights):
    """The states (N, T, H) where a step that does not count is skipped: the state goes through it as it is."""
    states = np.zeros((*x.shape[:2], len(weights["U"])), x.dtype)
    for n, count in enumerate(counts):
        if count.any():
            read = cells(x[n : n + 1, count], **weights)[0]  # (steps that count, H)
            so_far = np.cumsum(count)  # how many of them have been read at each step
            states[n] = np.where(so_far[:, None] > 0, read[so_far - 1], 0)
    return states
