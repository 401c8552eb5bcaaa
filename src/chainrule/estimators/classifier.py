"""The classifier."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from chainrule.arrays import Array, Shape
from chainrule.errors import DataError, SettingError
from chainrule.estimators.base import NetworkEstimator
from chainrule.estimators.data import refuse_masked, through
from chainrule.estimators.parts import layers_of, part
from chainrule.estimators.standalone import Standalone
from chainrule.layers import Layer, Linear
from chainrule.losses import (
    BinaryCrossEntropy,
    CrammerSinger,
    CrossEntropy,
    Hinge,
    Loss,
    Perceptron,
    WestonWatkins,
)
from chainrule.losses.loss import BinaryLoss, LabelLoss

MARGINS = (Hinge, Perceptron, CrammerSinger, WestonWatkins)  # losses whose link gives no probabilities


def _gives_probabilities(classifier: NetworkClassifier) -> bool:
    """Whether the loss makes probabilities of the scores."""
    with contextlib.suppress(SettingError):  # which `fit` will raise
        loss = classifier._loss(multilabel=False)
        return isinstance(loss, BinaryLoss | LabelLoss) and not isinstance(loss, MARGINS)
    return False


class NetworkClassifier(ClassifierMixin, Standalone, NetworkEstimator):  # type: ignore[misc]
    """A neural network that decides between classes, or answers yes or no to several questions (multi-label).

        classifier = NetworkClassifier((64, 32), epochs=30, random_state=0).fit(X, y)
        classifier.predict(X), classifier.predict_proba(X), classifier.score(X, y)

    A setting of a part is given by the part itself: `optimizer=cr.Momentum(0.1, momentum=0.95)`. Names are those of the
    classes in small letters, with or without "_". Errors are those of scikit-learn, or of `chainrule.errors`.

    Args:
        layers: sizes of the hidden layers, such as (100,), or a list of layers and sizes. Each size becomes a `Linear`,
            the activation and dropout. The last layer, a `Linear` with one score per class, is added.
        activation: of the sizes in `layers`: a layer, or its name.
        dropout: the share of their outputs that becomes 0 in training.
        loss: a loss or its name; "auto": cross-entropy for classes, binary cross-entropy for multi-label targets. A
            loss that answers yes or no (`Hinge`) sets each of more than two classes against all others.
        label_smoothing: the share of its certainty that "auto" spreads over all classes; 0 for probabilities as sure as
            the data allow.
        optimizer: an optimizer or its name.
        learning_rate: of an optimizer given by name; None: its own.
        schedule: how the rate changes in the course of `fit`: a schedule or its name, such as "cosine_decay".
        batch_size: samples per step; None: all.
        epochs: passes over the data in `fit`.
        penalty: on large weights: "l2", "l1", "elastic_net", with `alpha` per sample; or a penalty such as L2(0.01).
        alpha: the strength of a penalty given by name.
        l1_ratio: the share of the l1 term in "elastic_net".
        clip: the greatest length of all gradients together, or a `Clip`.
        accumulate: batches that go into one step.
        average: how much a running mean of the weights keeps of itself in each step, such as 0.999.
        class_weight: {class: weight}, others 1; or "balanced", as if each class had as many samples.
        standardize: whether features are brought to mean 0 and deviation 1; images and sequences as a whole. Training
            samples alone decide; the first piece does in `partial_fit`.
        image_shape: of a sample, such as (1, 28, 28), where each row of X is an image; None: samples as X has them.
        early_stopping: whether to stop when validation has not improved for some epochs; the best weights are kept.
        validation_fraction: the share of samples, or how many, held back to measure on; None: a tenth with early
            stopping, else none.
        scoring: what is measured on them besides the loss: the name of a scorer of scikit-learn's or
            `scorer(estimator, X, y)`. Early stopping then goes by it, otherwise by the loss.
        n_iter_no_change: epochs that early stopping waits.
        tol: what it counts as an improvement.
        shuffle: whether each epoch takes the samples in a new order.
        dtype: "float32" or "float64", of all arithmetic; "auto": that of X, float64 where it has neither.
        random_state: a whole number, a RandomState or None for fresh numbers; NumPy's global state is not touched.
        warm_start: whether another `fit` goes on from the weights there are.
        callbacks: of `chainrule.training`. Those of scikit-learn (1.9 and newer) go to `set_callbacks`.
        checkpoint: the path of a file that keeps how far `fit` has come, see `train`.
        resume: whether `fit` goes on from there.
        verbose: whether to print a line per epoch.

    Attributes:
        classes_: the labels (K,); 0 … K−1 for multi-label targets.
        network_: the `Network`, which takes standardised samples; `to_network` makes one for samples as they are.
        history_: the `History`.
        loss_curve_: the training loss of each epoch.
        validation_loss_curve_: the validation loss of each epoch, or None.
        validation_scores_: the validation score of each epoch, by `scoring` or else the accuracy, or None.
        n_iter_: epochs so far.
        n_features_in_, feature_names_in_: as in all of scikit-learn.

    """

    def __init__(
        self,
        layers: Any = (100,),
        *,
        activation: Any = "elu",
        dropout: float = 0.0,
        loss: Any = "auto",
        label_smoothing: float = 0.1,
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
        class_weight: Any = None,
        standardize: bool = True,
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
        self.label_smoothing = label_smoothing
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
        self.class_weight = class_weight
        self.standardize = standardize
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetworkClassifier:
        """Learn from samples X (N, …) and labels y (N,), or yes/no targets (N, K); returns the classifier.

        Args:
            X: samples, rows of features or images (N, C, H, W): arrays, lists or pandas.
            y: labels of any kind, or 0 and 1 (N, K) for multi-label.
            sample_weight: how much each sample counts in the loss (N,), 0 or more.

        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> NetworkClassifier:
        """Learn on from a piece of the data, in one pass over it; returns the classifier.

        The optimizer remembers the pieces before; the schedule is not used, because the end is not known.

        Args:
            X: see `fit`.
            y: see `fit`.
            classes: all labels that will ever come; needed in the first call, unless targets are multi-label.
            sample_weight: see `fit`.

        """
        if isinstance(self.class_weight, str):
            raise SettingError('class_weight: "balanced" needs all the data; give weights by class to partial_fit')
        if classes is None and not hasattr(self, "network_") and type_of_target(y) != "multilabel-indicator":
            raise DataError("classes: the first call of partial_fit must name all classes that will ever come")
        return self._partial_fit(X, y, sample_weight, classes)

    def decision_function(self, X: Any) -> Array:
        """The raw scores (N, K); for two classes how far the second is ahead (N,)."""
        x = self._inputs(X)
        f = through(self.network_.layers, x)
        if self._multilabel or len(self.classes_) > 2:
            return f
        return f[:, 0] if f.shape[1] == 1 else f[:, 1] - f[:, 0]

    def predict(self, X: Any) -> Array:
        """The label of each sample (N,); for multi-label targets 0 or 1 (N, K)."""
        f = self.decision_function(X)
        if self._multilabel:
            return (f > 0).astype(int)
        return self.classes_[(f > 0).astype(int) if f.ndim == 1 else f.argmax(axis=1)]

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class (N, K); of yes to each question for multi-label targets."""
        x = self._inputs(X)
        loss = self.network_.loss
        p = loss.link(through(self.network_.layers, x))
        if self._multilabel or not isinstance(loss, BinaryLoss):
            return p
        return np.hstack([1 - p, p]) if p.shape[1] == 1 else p / p.sum(axis=1, keepdims=True)

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _check_data(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        refuse_masked(X, "X")
        refuse_masked(y, "y")
        samples, labels = validate_data(self, X, y, dtype=self._dtypes, allow_nd=True, multi_output=True, reset=reset)
        if issparse(labels):
            labels = labels.toarray()
        check_classification_targets(labels)
        kind = type_of_target(labels)
        if kind == "multiclass-multioutput":
            raise DataError("y: expected a column of labels, or several of 0 and 1; make a classifier for each column")
        return samples, labels if kind == "multilabel-indicator" else column_or_1d(labels, warn=True)

    def _learn_targets(self, y: Array, anew: bool, classes: Any = None) -> None:
        several = y.ndim == 2
        there = np.arange(y.shape[1]) if several else np.unique(y)
        named = there if several or classes is None else np.unique(classes)
        if anew:
            if len(named) < 2 and not several:
                raise DataError(f"y: expected at least 2 classes, got 1 class: {named[0]!r}")
            self.classes_, self._multilabel = named, several
        if several != self._multilabel or not np.isin(there, self.classes_).all():
            raise DataError(f"y: expected the classes {self.classes_}, got {there}")
        if classes is not None and not np.array_equal(named, self.classes_):
            raise DataError(f"classes: expected {self.classes_} as before, got {named}")

    def _targets(self, x: Array, y: Array) -> Array:
        if self._multilabel:
            return y.astype(np.float32)
        labels = np.searchsorted(self.classes_, y)
        if isinstance(self.network_.loss, LabelLoss):
            return labels
        return labels if self.network_.output_shape == (1,) else np.eye(len(self.classes_), dtype=np.float32)[labels]

    def _loss(self, *, multilabel: bool) -> Loss:
        if self.loss != "auto":
            return part(self.loss, Loss, "loss")
        return BinaryCrossEntropy() if multilabel else CrossEntropy(self.label_smoothing)

    def _parts(self, input_shape: Shape) -> tuple[list[Layer], Loss]:
        loss = self._loss(multilabel=self._multilabel)
        one = isinstance(loss, BinaryLoss) and not self._multilabel and len(self.classes_) == 2
        last = Linear(1 if one else len(self.classes_))
        return [*layers_of(self.layers, self.activation, self.dropout), last], loss

    def _class_weight(self) -> Any:
        if not isinstance(self.class_weight, Mapping):
            return self.class_weight
        places = {label: place for place, label in enumerate(self.classes_.tolist())}
        for label in self.class_weight:
            if label not in places:
                raise SettingError(f"class_weight: {label!r} is not one of the classes {self.classes_}")
        return {places[label]: weight for label, weight in self.class_weight.items()}
