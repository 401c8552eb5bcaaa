"""What the estimators have in common: how data becomes a training, and what is known after it."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted, validate_data

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.errors import SettingError
from chainrule.estimators.data import counting, learn_standardizer, refuse_masked, seed_of, shaped, standardized
from chainrule.estimators.parts import clip_of, optimizer_of, penalty_of, schedule_of
from chainrule.estimators.protocol import CallbackSupportMixin, Tasks, with_callbacks
from chainrule.estimators.watching import Memory, Scored
from chainrule.layers import Layer
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.optimizers import LBFGS, Optimizer
from chainrule.training import Callback, EarlyStopping, History, train

Rows = Array | slice  # of samples

VALIDATION_FRACTION = 0.1  # where early stopping is asked for, and not of how much


class NetworkEstimator(CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """Base of the estimators. A subclass says what its data, its targets and its network are."""

    image_shape: Shape | None = None  # of a sample; a subclass may have it as a parameter

    def _check_data(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        """Samples (N, …) and targets (N, …) as scikit-learn checks them."""
        raise NotImplementedError

    def _learn_targets(self, y: Array, anew: bool, classes: Any = None) -> None:
        """Learn which targets there are, before some are held back; not `anew`: see that they are as before."""

    def _learn_scale(self, y: Array, weights: Array | None) -> None:
        """Learn the scale of the targets."""

    def _targets(self, x: Array, y: Array) -> Array:
        """The targets as the loss takes them, from samples as the network gets them and checked targets."""
        raise NotImplementedError

    def _parts(self, input_shape: Shape) -> tuple[list[Layer], Loss]:
        """The layers and the loss of a new network for samples of that shape."""
        raise NotImplementedError

    def _optimizer(self, x: Array, weights: Array | None) -> Optimizer:
        """The optimizer of a training on such data."""
        return optimizer_of(self.optimizer, self.learning_rate)

    def _class_weight(self) -> Any:
        """The weights of the classes as `train` takes them."""
        return None

    @with_callbacks  # type: ignore[untyped-decorator]
    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Any:
        """Learn from all the data: anew, or with `warm_start` from the weights there are."""
        anew = not (self.warm_start and hasattr(self, "network_"))
        samples, targets, weights = counting(*self._check_data(X, y, reset=anew), sample_weight)
        self._learn_targets(targets, anew)
        self._seed = seed_of(self.random_state)
        kept, held = self._split(targets)
        if anew:
            self._begin(samples[kept], targets[kept], _of(weights, kept))
        x = self._prepared(samples)
        t = self._targets(x, targets)
        callbacks = [*(self.callbacks or ())]
        if len(held):
            callbacks += self._validation(samples[held], targets[held])
        if hasattr(self, "_skl_callbacks"):
            callbacks.append(Tasks(self, whole_number(self.epochs, "epochs"), X, y, sample_weight))
        self._train(
            x[kept],
            t[kept],
            _of(weights, kept),
            validation=(x[held], t[held], _of(weights, held)) if len(held) else None,
            epochs=self.epochs,
            schedule=schedule_of(self.schedule),
            callbacks=callbacks,
            checkpoint=self.checkpoint,
            resume=self.resume,
        )
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Any:
        """One pass over a piece of the data; the optimizer remembers the pieces before."""
        if self.early_stopping:
            raise SettingError("early_stopping: partial_fit sees a piece of the data at a time; use fit")
        if isinstance(optimizer_of(self.optimizer, None), LBFGS):
            raise SettingError("optimizer: LBFGS compares costs of all samples, partial_fit has some of them; use fit")
        anew = not hasattr(self, "network_")
        samples, targets, weights = counting(*self._check_data(X, y, reset=anew), sample_weight)
        self._learn_targets(targets, anew, classes)
        if anew:
            self._seed = seed_of(self.random_state)
            self._begin(samples, targets, weights)
        x = self._prepared(samples)
        callbacks = [*(self.callbacks or ()), self._memory]
        self._train(x, self._targets(x, targets), weights, epochs=1, callbacks=callbacks)
        return self

    def _begin(self, samples: Array, targets: Array, weights: Array | None) -> None:
        """A new network for such data, which has not learned anything."""
        arranged = self._arranged(samples)
        layers, loss = self._parts(arranged.shape[1:])
        network = Network(layers, loss, seed=self._seed, dtype=samples.dtype).build(arranged.shape[1:])
        are_words = network.body.inputs_below is not None
        self._standardizer = learn_standardizer(arranged, weights) if self.standardize and not are_words else None
        self._learn_scale(targets, weights)
        self.network_ = network
        self.history_, self.n_iter_, self._memory = History(), 0, Memory()

    def _split(self, targets: Array) -> tuple[Rows, Array]:
        """The rows to learn from, and those held back for validation."""
        rows = np.arange(len(targets))
        fraction = VALIDATION_FRACTION if self.early_stopping else None
        if self.validation_fraction is not None:
            fraction = self.validation_fraction
        if fraction is None:
            if self.scoring is not None:
                raise SettingError("scoring: no samples are held back; set early_stopping or validation_fraction")
            return slice(None), rows[:0]
        classes = targets if is_classifier(self) and targets.ndim == 1 else None
        kept, held = train_test_split(rows, test_size=fraction, random_state=self._seed, stratify=classes)
        return np.sort(kept), np.sort(held)

    def _validation(self, samples: Array, targets: Array) -> list[Callback]:
        """What measures the network on the samples held back, and what stops because of it."""
        callbacks: list[Callback] = []
        if self.scoring is not None:
            callbacks.append(Scored(self, self.scoring, samples, targets))
        if self.early_stopping:
            monitor = "validation_loss" if self.scoring is None else "validation_score"
            callbacks.append(EarlyStopping(monitor, patience=self.n_iter_no_change, minimum_change=self.tol))
        return callbacks

    def _train(self, x: Array, t: Array, weights: Array | None, **settings: Any) -> None:
        history = train(
            self.network_,
            (x, t),
            sample_weight=weights,
            class_weight=self._class_weight(),
            batch_size=self.batch_size,
            optimizer=self._optimizer(x, weights),
            penalty=penalty_of(self.penalty, self.alpha, self.l1_ratio),
            clip=clip_of(self.clip),
            accumulate=self.accumulate,
            average=self.average,
            seed=self._seed + self.n_iter_,  # further epochs take the samples in another order
            shuffle=self.shuffle,
            progress=bool(self.verbose),
            **settings,
        )
        self.history_.records += [record | {"epoch": record["epoch"] + self.n_iter_} for record in history.records]
        self.history_.stopped = history.stopped
        self.n_iter_ += len(history)
        self.loss_curve_ = self._curve("loss")
        self.validation_loss_curve_ = self._curve("validation_loss")
        self.validation_scores_ = self._curve("validation_score") or self._curve("validation_accuracy")

    def _curve(self, name: str) -> list[float] | None:
        """A figure of the history, epoch by epoch; None where it was not measured."""
        return [record[name] for record in self.history_.records if name in record] or None

    @property
    def _dtypes(self) -> Any:
        """What samples are made of: "auto" leaves float32 and float64, and makes float64 of others."""
        return [np.float64, np.float32] if self.dtype == "auto" else self.dtype

    def _arranged(self, samples: Array) -> Array:
        """Checked samples in the shape that the network takes."""
        return shaped(samples, self.image_shape)

    def _prepared(self, samples: Array) -> Array:
        """Checked samples as the network gets them."""
        return standardized(self._arranged(samples), self._standardizer)

    def _inputs(self, X: Any) -> Array:
        """New samples as the network gets them."""
        check_is_fitted(self, "network_")
        refuse_masked(X, "X")
        samples = validate_data(self, X, dtype=self._dtypes, allow_nd=True, reset=False)
        x = self.network_.check_inputs(self._prepared(samples), "X")
        return self.network_.floats(x)

    def _repr_html_inner(self) -> str:
        return super()._repr_html_inner() + self._summary()

    def _repr_mimebundle_(self, **keywords: Any) -> dict[str, str]:
        shown = super()._repr_mimebundle_(**keywords)
        if "text/html" in shown:
            shown["text/html"] += self._summary()
        return shown

    def _summary(self) -> str:
        """The layers of the fitted network, as HTML."""
        return self.network_.summary()._repr_html_() if hasattr(self, "network_") else ""


def _of(weights: Array | None, rows: Rows) -> Array | None:
    return None if weights is None else weights[rows]
