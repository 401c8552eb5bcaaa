"""The regressor."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from chainrule.arrays import Array, Shape
from chainrule.data import Standardizer
from chainrule.errors import ShapeError
from chainrule.estimators.base import NetworkEstimator
from chainrule.estimators.data import learn_standardizer, refuse_masked, through
from chainrule.estimators.parts import layers_of, part
from chainrule.estimators.standalone import Standalone
from chainrule.layers import Layer, Linear
from chainrule.losses import AbsoluteError, Huber, Loss, SquaredError

SCALABLE = (SquaredError, AbsoluteError, Huber)  # losses that may be taken of standardised targets


class NumberEstimator(RegressorMixin, NetworkEstimator):  # type: ignore[misc]
    """Base of the estimators that predict one number or several of each sample."""

    def predict(self, X: Any) -> Array:
        """The numbers that belong to each sample: (N,) or (N, K), as the targets were."""
        x = self._inputs(X)
        loss = self.network_.loss
        y = loss.link(through(self.network_.layers, x))
        if self._target_scale is not None:
            y = y * self._target_scale.deviation + self._target_scale.mean  # in float64
        return y if self._columns else y[:, 0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _check_data(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        refuse_masked(X, "X")
        refuse_masked(y, "y")
        samples, numbers = validate_data(
            self, X, y, dtype=self._dtypes, allow_nd=True, multi_output=True, y_numeric=True, reset=reset
        )
        return samples, numbers.astype(np.float64, copy=False)

    def _learn_targets(self, y: Array, anew: bool, classes: Any = None) -> None:
        if anew:
            self._columns = y.ndim == 2
            self.n_outputs_ = y.shape[1] if self._columns else 1
        elif y.shape[1:] != ((self.n_outputs_,) if self._columns else ()):
            raise ShapeError(f"y: expected {self.n_outputs_} numbers for each sample as before, got an array {y.shape}")

    def _learn_scale(self, y: Array, weights: Array | None) -> None:
        scales = self.standardize_targets and isinstance(self._loss(), SCALABLE)
        self._target_scale: Standardizer | None = learn_standardizer(_as_columns(y), weights) if scales else None

    def _targets(self, x: Array, y: Array) -> Array:
        columns = _as_columns(y)
        return columns if self._target_scale is None else self._target_scale.apply(columns)

    def _loss(self) -> Loss:
        return part(self.loss, Loss, "loss")


def _as_columns(y: Array) -> Array:
    return y[:, None] if y.ndim == 1 else y


class NetworkRegressor(Standalone, NumberEstimator):
    """A neural network that predicts a number, or several.

        regressor = NetworkRegressor((64, 32), random_state=0).fit(X, y)
        regressor.predict(X), regressor.score(X, y)

    Args:
        layers: see `NetworkClassifier`; the last layer, a `Linear` with one score per number, is added.
        activation: see `NetworkClassifier`, as all that is not named here.
        dropout: likewise.
        loss: a loss or its name: "squared_error", "absolute_error", "huber" or "poisson" (for counts).
        optimizer: see there.
        learning_rate: see there.
        schedule: see there.
        batch_size: see there.
        epochs: see there.
        penalty: see there.
        alpha: see there.
        l1_ratio: see there.
        clip: see there.
        accumulate: see there.
        average: see there.
        standardize: see there.
        standardize_targets: whether the targets, too, are brought to mean 0 and deviation 1 for the training; losses in
            the history are those of such targets. Not done for counts ("poisson") or for a loss of the user's own.
        image_shape: see there.
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
        n_outputs_: numbers per sample.
        network_: the `Network`, which takes standardised samples and answers in standardised targets; `to_network`
            makes one for samples and targets as they are.
        history_, loss_curve_, validation_loss_curve_, validation_scores_, n_iter_: see `NetworkClassifier`.

    """

    def __init__(
        self,
        layers: Any = (100,),
        *,
        activation: Any = "elu",
        dropout: float = 0.0,
        loss: Any = "squared_error",
        optimizer: Any = "adam",
        learning_rate: float | None = 0.01,
        schedule: Any = None,
        batch_size: int | None = 64,
        epochs: int = 75,
        penalty: Any = "l2",
        alpha: float = 0.0,
        l1_ratio: float = 0.5,
        clip: Any = None,
        accumulate: int = 1,
        average: float | None = None,
        standardize: bool = True,
        standardize_targets: bool = True,
        image_shape: Any = None,
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
        self.layers = layers
        self.activation = activation
        self.dropout = dropout
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
        self.image_shape = image_shape
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetworkRegressor:
        """Learn from samples X (N, …) and numbers y (N,) or (N, K); returns the regressor.

        Args:
            X: samples, rows of features or images (N, C, H, W): arrays, lists or pandas.
            y: the targets.
            sample_weight: how much each sample counts in the loss (N,), 0 or more.

        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetworkRegressor:
        """Learn on from a piece of the data, in one pass over it; returns the regressor.

        The optimizer remembers the pieces before; the schedule is not used, because the end is not known. The scales
        are those of the first piece.
        """
        return self._partial_fit(X, y, sample_weight)

    def _parts(self, input_shape: Shape) -> tuple[list[Layer], Loss]:
        layers = layers_of(self.layers, self.activation, self.dropout)
        return [*layers, Linear(self.n_outputs_)], self._loss()
