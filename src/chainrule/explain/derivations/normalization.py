"""Batch normalisation, for one channel, and layer normalisation, for one place.

Source: Ioffe & Szegedy 2015; Ba, Kiros & Hinton 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.explain.derivations.written import Line, Written
from chainrule.operations.normalization import (
    batch_norm_backward,
    batch_norm_forward,
    layer_norm_backward,
    layer_norm_forward,
)


def _batch_norm(rng: np.random.Generator | None) -> dict[str, Any]:
    if rng is None:
        x, dy, gamma, beta = np.array([1.0, 2.0, 6.0]), np.array([1.0, 0.0, -1.0]), 2.0, 0.5
    else:
        x, dy, gamma, beta = rng.normal(size=5), rng.normal(size=5), rng.normal(), rng.normal()
    epsilon, shape = 1e-5, (-1, 1, 1, 1)
    y, mean, variance = batch_norm_forward(x.reshape(shape), np.array([gamma]), np.array([beta]), epsilon)
    dx, dgamma, dbeta = batch_norm_backward(
        dy.reshape(shape), x.reshape(shape), np.array([gamma]), mean, variance, epsilon
    )
    return {
        "x": x, "m": len(x), "gamma": gamma, "beta": beta, "epsilon": epsilon, "mu": mean[0], "sigma2": variance[0],
        "y": y.ravel(), "dy": dy, "dx": dx.ravel(), "dgamma": dgamma[0], "dbeta": dbeta[0],
    }  # fmt: skip


def _layer_norm(rng: np.random.Generator | None) -> dict[str, Any]:
    if rng is None:
        x, dy, gamma, beta = np.array([1.0, 2.0, 6.0]), np.array([1.0, 0.0, -1.0]), np.array([1.0, 2, 1]), np.zeros(3)
    else:
        x, dy, gamma, beta = (rng.normal(size=5) for _ in range(4))
    epsilon, shape = 1e-5, (1, 1, -1)
    y, mean, variance = layer_norm_forward(x.reshape(shape), gamma, beta, epsilon)
    dx, dgamma, dbeta = layer_norm_backward(dy.reshape(shape), x.reshape(shape), gamma, mean, variance, epsilon)
    return {
        "x": x, "m": len(x), "gamma": gamma, "beta": beta, "epsilon": epsilon, "mu": mean.item(),
        "sigma2": variance.item(), "y": y.ravel(), "dy": dy, "dx": dx.ravel(), "dgamma": dgamma, "dbeta": dbeta,
    }  # fmt: skip


WRITTEN = (
    Written(
        title="Batch normalisation",
        operation="batch_norm",
        words=(
            "The m numbers of one channel, over all samples of a batch and all pixels, are brought to mean 0 and "
            "variance 1, then to a mean β and a deviation γ that are learned. Each number moves the others by way of "
            "the mean and the variance: that is where the two terms come from that are taken off at the end."
        ),
        symbols=(
            ("x_r", "the m numbers of the channel"),
            ("μ, σ²", "their mean and variance"),
            ("z_r", "the same, normalised"),
            ("γ, β", "learned deviation and mean"),
            ("ε", "a small number against division by 0"),
        ),
        definition=(
            Line("Mean:", "mu == sum(r, x[r]) / m"),
            Line("Variance:", "sigma2 == sum(r, (x[r] - mu) ** 2) / m"),
            Line("Normalised:", "z[r] == (x[r] - mu) / sqrt(sigma2 + epsilon)"),
            Line("Stretched and moved:", "y[r] == gamma * z[r] + beta"),
        ),
        steps=(
            Line("β is in every output, one to one:",
                 "d(L, beta) == sum(r, d(L, y[r]) * d(y[r], beta)) == sum(r, d(L, y[r]))"),
            Line("γ with the normalised number:",
                 "d(L, gamma) == sum(r, d(L, y[r]) * d(y[r], gamma)) == sum(r, d(L, y[r]) * z[r])"),
            Line("To the normalised numbers:", "d(L, z[r]) == d(L, y[r]) * d(y[r], z[r]) == gamma * d(L, y[r])"),
            Line("The variance moves them all:",
                 "d(L, sigma2) == sum(r, d(L, z[r]) * d(z[r], sigma2))"
                 " == -(sum(r, d(L, z[r]) * z[r]) / (2 * (sigma2 + epsilon)))"),
            Line("So does the mean; the variance does not depend on it, since the distances from a mean sum to 0:",
                 "d(L, mu) == sum(r, d(L, z[r]) * d(z[r], mu)) + d(L, sigma2) * d(sigma2, mu)"
                 " == -(sum(r, d(L, z[r])) / sqrt(sigma2 + epsilon))"),
            Line("A number reaches L in three ways: by its own z, by the variance, by the mean.",
                 "d(L, x[r]) == d(L, z[r]) * d(z[r], x[r]) + d(L, sigma2) * d(sigma2, x[r]) + d(L, mu) * d(mu, x[r])"),
            Line("Put together:",
                 "d(L, x[r]) == gamma / sqrt(sigma2 + epsilon)"
                 " * (d(L, y[r]) - d(L, beta) / m - z[r] * d(L, gamma) / m)"),
        ),
        example=_batch_norm,
        example_words="Three numbers, 1, 2 and 6; γ = 2, β = ½, ε = 10⁻⁵; gradients of 1, 0 and −1 at the outputs.",
    ),
    Written(
        title="Layer normalisation",
        operation="layer_norm",
        words=(
            "The m features of one sample are brought to mean 0 and variance 1, then each to a mean β and a deviation "
            "γ of its own, which are learned. Unlike batch normalisation it does not look at other samples."
        ),
        symbols=(
            ("x_i", "the m features of a sample"),
            ("μ, σ²", "their mean and variance"),
            ("z_i", "the same, normalised"),
            ("γ_i, β_i", "learned deviation and mean of feature i"),
            ("ε", "a small number against division by 0"),
        ),
        definition=(
            Line("Mean:", "mu == sum(i, x[i]) / m"),
            Line("Variance:", "sigma2 == sum(i, (x[i] - mu) ** 2) / m"),
            Line("Normalised:", "z[i] == (x[i] - mu) / sqrt(sigma2 + epsilon)"),
            Line("Stretched and moved:", "y[i] == gamma[i] * z[i] + beta[i]"),
        ),
        steps=(
            Line("β and γ (of several samples, the sum over all):", "d(L, beta[i]) == d(L, y[i]) * d(y[i], beta[i])"),
            Line("", "d(L, gamma[i]) == d(L, y[i]) * d(y[i], gamma[i]) == d(L, y[i]) * z[i]"),
            Line("To the normalised numbers:", "d(L, z[i]) == d(L, y[i]) * d(y[i], z[i]) == gamma[i] * d(L, y[i])"),
            Line("The variance moves them all:",
                 "d(L, sigma2) == sum(i, d(L, z[i]) * d(z[i], sigma2))"
                 " == -(sum(i, d(L, z[i]) * z[i]) / (2 * (sigma2 + epsilon)))"),
            Line("So does the mean:",
                 "d(L, mu) == sum(i, d(L, z[i]) * d(z[i], mu)) + d(L, sigma2) * d(sigma2, mu)"
                 " == -(sum(i, d(L, z[i])) / sqrt(sigma2 + epsilon))"),
            Line("A feature reaches L in three ways: by its own z, by the variance, by the mean.",
                 "d(L, x[i]) == d(L, z[i]) * d(z[i], x[i]) + d(L, sigma2) * d(sigma2, x[i]) + d(L, mu) * d(mu, x[i])"),
            Line("Put together:",
                 "d(L, x[i]) == (d(L, z[i]) - sum(k, d(L, z[k])) / m - z[i] * sum(k, d(L, z[k]) * z[k]) / m)"
                 " / sqrt(sigma2 + epsilon)"),
        ),
        example=_layer_norm,
        example_words="Three features, 1, 2 and 6; γ = 1, 2, 1; gradients of 1, 0 and −1 at the outputs.",
    ),
)  # fmt: skip
