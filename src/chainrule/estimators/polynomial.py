"""Polynomial regression by gradient descent. Source: mission item E1."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import PolynomialFeatures

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.estimators.parts import part
from chainrule.estimators.regressor import NumberEstimator
from chainrule.initializers import Zeros
from chainrule.layers import Layer, Linear
from chainrule.losses import Loss
from chainrule.optimizers import Optimizer


class PolynomialRegressor(NumberEstimator):
    """y = w₀ + w₁x + w₂x² + …, for several features with all their products, by gradient descent from w = 0.

        regressor = PolynomialRegressor(degree=2).fit(x, y)
        regressor.intercept_, regressor.coef_, regressor.terms_

    The powers are standardised for the descent; `coef_` and `intercept_` are those of the powers themselves.

    Args:
        degree: the highest power.
        loss: see `NetworkRegressor`, as all that is not named here.
        optimizer: likewise.
        learning_rate: of an optimizer given by name. None: 1/λ, λ being the greatest curvature of the mean squared
            error, the greatest eigenvalue of (1/N) Σ x xᵀ. A rate below 2/λ cannot overshoot in full batches.
        schedule: see there.
        batch_size: see there; None: all samples in each step.
        epochs: see there.
        penalty: see there.
        alpha: see there.
        l1_ratio: see there.
        clip: see there.
        accumulate: see there.
        average: see there.
        standardize: whether the powers are brought to mean 0 and deviation 1.
        standardize_targets: see there.
        early_stopping: see there.
        validation_fraction: see there.
        scoring: see there.
        n_iter_no_change: see there.
        tol: see there.
        shuffle: see there.
        dtype: see there.
        random_state: see there.
        warm_start: see there.
        callbacks: see there.
        checkpoint: see there.
        resume: see there.
        verbose: see there.

    Attributes:
        coef_: the coefficient of each term (T,), or (K, T) for several outputs.
        intercept_: w₀, or (K,).
        terms_: the names of the terms, such as "x0", "x0^2", "x0 x1".
        n_outputs_, network_, history_, loss_curve_, validation_loss_curve_, validation_scores_, n_iter_: see there.

    """

    def __init__(
        self,
        degree: int = 2,
        *,
        loss: Any = "squared_error",
        optimizer: Any = "sgd",
        learning_rate: float | None = None,
        schedule: Any = None,
        batch_size: int | None = None,
        epochs: int = 1000,
        penalty: Any = "l2",
        alpha: float = 0.0,
        l1_ratio: float = 0.5,
        clip: Any = None,
        accumulate: int = 1,
        average: float | None = None,
        standardize: bool = True,
        standardize_targets: bool = True,
        early_stopping: bool = False,
        validation_fraction: float | None = None,
        scoring: Any = None,
        n_iter_no_change: int = 10,
        tol: float = 0.0,
        shuffle: bool = True,
        dtype: Any = "auto",
        random_state: Any = None,
        warm_start: bool = False,
        callbacks: Any = None,
        checkpoint: Any = None,
        resume: bool = False,
        verbose: bool = False,
    ) -> None:
        self.degree = degree
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.batch_size = batch_size
        self.epochs = epochs
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.clip = clip
        self.accumulate = accumulate
        self.average = average
        self.standardize = standardize
        self.standardize_targets = standardize_targets
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.shuffle = shuffle
        self.dtype = dtype
        self.random_state = random_state
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.resume = resume
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> PolynomialRegressor:
        """Learn from samples X (N, I) and numbers y (N,) or (N, K); returns the regressor."""
        self._fit(X, y, sample_weight)
        self._find_coefficients()
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> PolynomialRegressor:
        """Learn on from a piece of the data, in one pass over it; see `NetworkRegressor.partial_fit`."""
        self._partial_fit(X, y, sample_weight)
        self._find_coefficients()
        return self

    def _arranged(self, samples: Array) -> Array:
        return self._powers().fit_transform(samples)

    def _powers(self) -> PolynomialFeatures:
        return PolynomialFeatures(whole_number(self.degree, "degree"), include_bias=False)

    def _parts(self, input_shape: Shape) -> tuple[list[Layer], Loss]:
        return [Linear(self.n_outputs_, weights=Zeros())], self._loss()

    def _optimizer(self, x: Array, weights: Array | None) -> Optimizer:
        if self.learning_rate is None and not isinstance(self.optimizer, Optimizer):
            return part(self.optimizer, Optimizer, "optimizer", learning_rate=1 / greatest_curvature(x, weights))
        return super()._optimizer(x, weights)

    def _find_coefficients(self) -> None:
        """From weights of standardised powers and targets to those of the powers and targets themselves."""
        W, b = (array.astype(np.float64) for array in self.network_.parameters.values())  # (T, K), (K,)
        if self._standardizer is not None:
            W = W / self._standardizer.deviation[:, None]
            b = b - self._standardizer.mean @ W
        if self._target_scale is not None:
            W, b = W * self._target_scale.deviation, b * self._target_scale.deviation + self._target_scale.mean
        self.coef_: Array = W.T if self._columns else W[:, 0]
        self.intercept_: Any = b if self._columns else b[0]
        names = getattr(self, "feature_names_in_", None)
        self.terms_ = self._powers().fit(np.zeros((1, self.n_features_in_))).get_feature_names_out(names)


def greatest_curvature(x: Array, weights: Array | None) -> float:
    """The greatest eigenvalue of (1/N) Σ x xᵀ over samples x (N, I), with a 1 for the bias, weighted where they are."""
    shares = np.full(len(x), 1 / len(x)) if weights is None else weights / weights.sum()  # (N,)
    rows = np.sqrt(shares)[:, None] * np.hstack([x, np.ones((len(x), 1))])  # (N, I + 1)
    products = rows @ rows.T if len(rows) < rows.shape[1] else rows.T @ rows  # of the same eigenvalues but for zeros
    return float(np.linalg.eigvalsh(products)[-1])
