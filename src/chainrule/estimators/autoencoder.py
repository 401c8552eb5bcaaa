"""The autoencoder. Source: mission item D3's networks with the samples for targets; Hinton & Salakhutdinov 2006."""

from __future__ import annotations

from math import prod
from numbers import Integral
from typing import Any

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from chainrule.arrays import Array, Shape
from chainrule.configuration import whole_number
from chainrule.errors import SettingError, ShapeError
from chainrule.estimators.base import NetworkEstimator
from chainrule.estimators.data import refuse_masked, through, unstandardized
from chainrule.estimators.parts import layers_of, part
from chainrule.layers import Flatten, Layer, Linear, Reshape
from chainrule.losses import Loss


class AutoencoderTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, NetworkEstimator):  # type: ignore[misc]
    """A network that gives its input back through a narrow middle; `transform` gives the numbers in the middle.

        codes = AutoencoderTransformer(2, random_state=0).fit_transform(X)  # (N, 2)

    Args:
        n_components: numbers in the code.
        layers: sizes of the hidden layers between input and code, or a list of layers and sizes; a `Linear` to the code
            is added.
        decoder: None: the sizes of `layers` in reverse order; or a list of layers and sizes, from the code to an output
            in the shape of a sample.
        activation: see `NetworkClassifier`, as all that is not named here.
        dropout: likewise.
        loss: of the output, with the sample for a target: a loss or its name.
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
        standardize: see there. Without it the samples themselves are what the output is compared with.
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
        network_: the `Network`, encoder and decoder. It takes standardised samples.
        history_, loss_curve_, validation_loss_curve_, validation_scores_, n_iter_: see `NetworkClassifier`.

    """

    def __init__(
        self,
        n_components: int = 2,
        layers: Any = (100,),
        *,
        decoder: Any = None,
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
        self.n_components = n_components
        self.layers = layers
        self.decoder = decoder
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

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> AutoencoderTransformer:
        """Learn from samples X (N, …); returns the transformer.

        Args:
            X: samples, rows of features or images (N, C, H, W): arrays, lists or pandas.
            y: ignored.
            sample_weight: how much each sample counts in the loss (N,), 0 or more.

        """
        return self._fit(X, None, sample_weight)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> AutoencoderTransformer:
        """Learn on from a piece of the data, in one pass over it; see `NetworkRegressor.partial_fit`."""
        return self._partial_fit(X, None, sample_weight)

    def transform(self, X: Any) -> Array:
        """The codes of samples X (N, n_components)."""
        x = self._inputs(X)
        return through(self._encoder(), x)

    def inverse_transform(self, X: Any) -> Array:
        """What the decoder makes of codes X (N, n_components): samples, rows or images as `fit` had them."""
        check_is_fitted(self, "network_")
        codes = check_array(X, dtype=self.network_.dtype)
        if codes.shape[1] != self._n_features_out:
            raise ShapeError(f"X: expected codes of {self._n_features_out} numbers, got {codes.shape[1]}")
        shaped = unstandardized(self._decoded(codes), self._standardizer)
        return shaped.reshape(len(shaped), *self._given_shape)

    def score(self, X: Any, y: Any = None) -> float:
        """The share of the variance of the scaled samples X (N, …) that comes back: 1 is all of it."""
        x = self._inputs(X)
        decoded = self._decoded(through(self._encoder(), x))
        return float(r2_score(_rows(x), _rows(decoded), multioutput="variance_weighted"))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        """The numbers of a code."""
        return int(self.network_.body.shapes[self._encoding][0])

    def _encoder(self) -> tuple[Layer, ...]:
        return self.network_.layers[: self._encoding]

    def _decoded(self, codes: Array) -> Array:
        """What comes out for codes, standardised."""
        return self.network_.loss.link(through(self.network_.layers[self._encoding :], codes))

    def _check_data(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        refuse_masked(X, "X")
        samples = validate_data(self, X, dtype=self._dtypes, allow_nd=True, reset=reset)
        if reset:
            self._given_shape = samples.shape[1:]
        return samples, samples

    def _targets(self, x: Array, y: Array) -> Array:
        return x

    def _parts(self, input_shape: Shape) -> tuple[list[Layer], Loss]:
        encoder = layers_of(self.layers, self.activation, self.dropout)
        if len(input_shape) > 1 and (not encoder or isinstance(encoder[0], Linear)):
            encoder.insert(0, Flatten())
        encoder.append(Linear(whole_number(self.n_components, "n_components")))
        self._encoding = len(encoder)
        return [*encoder, *self._decoder(input_shape)], part(self.loss, Loss, "loss")

    def _decoder(self, output_shape: Shape) -> list[Layer]:
        """The layers from the code to an output of that shape."""
        if self.decoder is not None:
            return layers_of(self.decoder, self.activation, self.dropout, "decoder")
        sizes = (self.layers,) if isinstance(self.layers, Integral) else tuple(self.layers)
        if not all(isinstance(size, Integral) for size in sizes):
            raise SettingError("decoder: layers that are no sizes cannot be reversed; give the decoder's, too")
        decoder = [*layers_of(sizes[::-1], self.activation, self.dropout), Linear(prod(output_shape))]
        return decoder if len(output_shape) == 1 else [*decoder, Reshape(output_shape)]


def _rows(samples: Array) -> Array:
    return samples.reshape(len(samples), -1)
