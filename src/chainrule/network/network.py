"""A network: layers and a loss. Shapes, parameters, forward, backward, predict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from chainrule.arrays import (
    Array,
    Pixels,
    Samples,
    Shape,
    aligned_copy,
    as_floats,
    check_finite,
    check_whole_numbers,
    float_dtype,
)
from chainrule.configuration import JSON, whole_number
from chainrule.errors import DataError, NotBuiltError, SettingError, ShapeError
from chainrule.files import Pathlike
from chainrule.layers import Context, Gradients, Layer, Saved, Sequential
from chainrule.losses import Loss
from chainrule.network.passes import Passes
from chainrule.network.summary import Summary, summarize
from chainrule.network.weights import as_class_weights, as_sample_weights, combined
from chainrule.operations.batches import gather_bytes
from chainrule.operations.losses import mean_backward, mean_forward, weighted_mean_backward, weighted_mean_forward
from chainrule.randomness import stream
from chainrule.regularizers import Penalty

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from chainrule.explain import Derivation
    from chainrule.optimizers import Optimizer

_homes: WeakValueDictionary[Layer, Network] = WeakValueDictionary()  # the network a layer was built in


class Network:
    """Layers, one after the other, that end in raw scores, and the loss that turns scores into answers and a cost.

    Args:
        layers: the layers; give output sizes only, the inputs are worked out when data comes or by `build`.
        loss: owns the link at the output (see `chainrule.losses`).
        seed: of the first weights; None for fresh ones each time.
        dtype: "float32" or "float64", of parameters and arithmetic.
        metadata: anything JSON can say about the model, kept in its file (class names, image shape, …).

    Raises:
        SettingError: something is not a layer or a loss, or a setting is out of range.

    """

    def __init__(
        self,
        layers: Iterable[Layer],
        loss: Loss,
        *,
        seed: int | None = 0,
        dtype: DTypeLike = "float32",
        metadata: dict[str, JSON] | None = None,
    ) -> None:
        if not isinstance(loss, Loss):
            hint = f"; write {loss.__name__}()" if isinstance(loss, type) else ", such as CrossEntropy()"
            raise SettingError(f"loss: expected a Loss, got {loss!r}{hint}")
        self.body = Sequential(tuple(layers) if isinstance(layers, Iterable) else layers)
        self.loss = loss
        self.seed = seed
        self.dtype = float_dtype(dtype)
        self.dJ = np.ones((), self.dtype)  # ∂J/∂J: where every backward pass begins
        if not isinstance(metadata, dict | None):
            raise SettingError(f"metadata: expected a dict, got {metadata!r}")
        self.metadata: dict[str, JSON] = dict(metadata or {})
        self.input_shape: Shape | None = None
        self._passes = Passes()
        self._frozen: tuple[str, ...] = ()
        stream(seed, "weights")  # refuses a wrong seed here rather than at the first data

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, first to last."""
        return self.body.layers

    def build(self, input_shape: Shape) -> Network:
        """Create the parameters for samples of `input_shape` (without the batch axis); data does it by itself.

        Raises:
            ShapeError: names the layer, its position, the expected and the actual shape.

        """
        self._build(input_shape, stream(self.seed, "weights"))
        return self

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> None:
        """`build`; without a generator the parameters are stand-ins that take no memory."""
        if not isinstance(input_shape, Iterable):
            raise SettingError(f"input_shape: expected a shape such as (784,), got {input_shape!r}")
        shape = tuple(whole_number(n, "input_shape") for n in input_shape)
        if self.input_shape is not None:
            if shape != self.input_shape:
                raise ShapeError(f"the network is built for samples of shape {self.input_shape}, not {shape}")
            return
        self._move_in()
        self.loss.check_scores(self.body.build(shape, rng))
        if rng is not None:
            self._check_no_layer_twice()
            self.body.replace_parameters(lambda name, initial: aligned_copy(as_floats(initial, name, self.dtype)))
        self.input_shape = shape

    def _move_in(self) -> None:
        """Make the layers this network's own; building them anew would change the weights of another."""
        for position, layer in enumerate(self.layers):
            if _homes.get(layer, self) is not self:
                raise SettingError(
                    f"layer {position} ({type(layer).__name__}) belongs to another network already; make a new one"
                )
            _homes[layer] = self

    def _check_no_layer_twice(self) -> None:
        """Two names for one array would be trained twice, each time with half of its gradient."""
        names: dict[int, str] = {}
        for name, W in self.body.parameters.items():
            first = names.setdefault(id(W), name)
            if first != name:
                raise SettingError(f"{first} and {name} are one array: the same layer object stands in two places")

    @property
    def output_shape(self) -> Shape:
        """The shape of one sample's scores. Raises NotBuiltError."""
        self._require_built()
        return self.body.shapes[-1]

    @property
    def parameters(self) -> dict[str, Array]:
        """Every parameter by name, as live views: {"layers.0.W": array, …}. Raises NotBuiltError."""
        self._require_built()
        return self.body.parameters

    @property
    def state(self) -> dict[str, Array]:
        """What layers keep besides parameters (running statistics), by name, as live views. Raises NotBuiltError."""
        self._require_built()
        return self.body.state

    @property
    def arrays(self) -> dict[str, Array]:
        """Parameters and state: everything that training changes, and that a model file holds. Raises NotBuiltError."""
        return {**self.parameters, **self.state}

    @property
    def frozen(self) -> tuple[str, ...]:
        """The names of the parameters that training leaves as they are."""
        return self._frozen

    def freeze(self, *names: str) -> Network:
        """Have training leave parameters as they are: those of a layer ("layers.0"), or a single one ("layers.0.W").

        Layers below the first one that is trained take no part in the backward pass. A layer of the network that has
        running statistics (BatchNorm) and is frozen as a whole works as in prediction, and leaves them as they are. A
        model file does not keep this.

        Raises:
            SettingError: there is no such layer or parameter.
            NotBuiltError: there are no parameters yet.

        """
        self._freeze({*self._frozen, *self._named(names)})
        return self

    def unfreeze(self, *names: str) -> Network:
        """Have training change frozen parameters again: those named as in `freeze`, or all where none is named."""
        self._freeze({*self._frozen} - {*(self._named(names) if names else self._frozen)})
        return self

    def _freeze(self, frozen: set[str]) -> None:
        self._frozen = tuple(name for name in self.parameters if name in frozen)
        places = [name.split(".")[1] for name in self.parameters if name not in frozen]
        self.body.first_trained = int(places[0]) if places else 0
        with_state = {name.split(".")[1] for name in self.state}
        self.body.resting = {int(place) for place in with_state - {*places}}

    def _named(self, names: tuple[str, ...]) -> set[str]:
        """The parameters that these names of layers and parameters stand for."""
        found: set[str] = set()
        for given in names:
            of_it = {name for name in self.parameters if f"{name}.".startswith(f"{given}.")}
            if not of_it:
                raise SettingError(f"{given!r} names no layer with parameters; there are {', '.join(self.parameters)}")
            found |= of_it
        return found

    def forward(self, x: Array, *, training: bool = False, context: Context | None = None) -> tuple[Array, Saved]:
        """The raw scores f (N, …) of checked inputs x, and what `backward` needs; `context` goes before `training`."""
        return self.body.forward(x, context or Context(training=training))

    def backward(self, df: Array, saved: Saved) -> Gradients:
        """∂L/∂parameter, by the names of `parameters`, from ∂L/∂f; none of those that are frozen."""
        gradients = self.body.backward_parameters(df, saved)
        return {name: dW for name, dW in gradients.items() if name not in self._frozen}

    def cost_and_gradients(
        self, x: Array, t: Array, w: Array | None = None, *, training: bool = False, context: Context | None = None
    ) -> tuple[Array, Array, Gradients, dict[str, Array]]:
        """One pass forward and back on checked inputs, prepared targets and weights (N,) of the samples, where given.

        J = (1/N) Σ L_n or (1/N) Σ w_n L_n, the scores, ∂J/∂parameter, and what a training step makes of the state.
        """
        f, saved = self.forward(x, training=training, context=context)
        loss = self.loss.forward(f, t)
        if w is None:
            cost, dloss = mean_forward(loss), mean_backward(self.dJ, loss)
        else:
            cost, dloss = weighted_mean_forward(loss, w), weighted_mean_backward(self.dJ, loss, w)
        gradients = self.backward(self.loss.backward(dloss, f, t), saved)
        return cost, f, gradients, self.body.next_state(saved)

    def gradients(
        self,
        x: Any,
        targets: Any,
        *,
        sample_weight: Any = None,
        class_weight: Any = None,
        penalty: Penalty | None = None,
    ) -> Gradients:
        """The gradients of the loss that `evaluate` reports, under the names of `parameters` that are not frozen.

        Raises:
            DataError, DataTypeError: see `evaluate`; or the loss is not finite.

        """
        inputs, t = self.check_data(x, targets)
        cost, _, found, _ = self.cost_and_gradients(
            self.floats(inputs), t, self.check_weights(t, sample_weight, class_weight)
        )
        if penalty is not None:
            cost, _, found = penalty.add_to(cost, found, self.parameters, len(inputs), self.dJ)
        self._check_loss(float(cost))
        return {name: found[name] for name in self.parameters if name not in self._frozen}

    def predict(self, x: Any, *, batch_size: int = 512) -> Array:
        """The answer for each sample, (N, …): probabilities for the cross-entropies, values for squared error.

        Args:
            x: samples (N, *input_shape), an array or Pixels.
            batch_size: how many go through at a time; the answers do not depend on it beyond rounding.

        Raises:
            DataError, DataTypeError: see `check_inputs`; or a score is not finite, be it for a parameter that is not.

        """
        size = whole_number(batch_size, "batch_size")
        f = self._passes.quick(self.body, x, size)
        if f is None:
            f = self._scores(self.check_inputs(x), size)
            if not np.isfinite(f).all():
                self._check_parameters()
                check_finite(f, "the scores")
        return self.loss.link(f)

    def evaluate(
        self,
        x: Any,
        targets: Any,
        *,
        sample_weight: Any = None,
        class_weight: Any = None,
        batch_size: int = 512,
        penalty: Penalty | None = None,
    ) -> dict[str, float]:
        """The mean loss over all samples and, where the targets are classes, the share decided right.

        Args:
            x: samples (N, *input_shape).
            targets: in a form that the loss takes.
            sample_weight: how much each sample counts in the loss (N,), 0 or more; None: all alike.
            class_weight: how much each class counts in the loss: {class: weight}, others 1; an array (K,); or
                "balanced", as if each had as many samples. Both multiply: the loss is Σ w L / Σ w.
            batch_size: how many go through at a time; the figures do not depend on it beyond rounding.
            penalty: to be added to the loss, and shown beside it.

        Returns:
            {"loss": …, "accuracy": …}; without "accuracy" for a regression. Weights do not touch the accuracy. With a
            penalty, "loss" is the sum of "data_loss" and "penalty", which are there too.

        Raises:
            DataError, DataTypeError: see `check_inputs` and the loss; or the loss is not finite.
            SettingError: class weights for targets that are not classes, or of classes that there are not.

        """
        inputs, t = self.check_data(x, targets)
        result = self.measure(inputs, t, self.check_weights(t, sample_weight, class_weight), batch_size=batch_size)
        if penalty is not None:
            R = float(penalty.value(self.parameters, len(inputs)))
            result |= {"loss": result["loss"] + R, "data_loss": result["loss"], "penalty": R}
        self._check_loss(result["loss"])
        return result

    def measure(self, x: Samples, t: Array, w: Array | None = None, *, batch_size: int = 512) -> dict[str, float]:
        """`evaluate` on checked inputs, prepared targets, and weights of the samples with a mean of 1."""
        f = self._scores(x, batch_size)
        loss = self.loss.forward(f, t).astype(np.float64)
        cost = mean_forward(loss) if w is None else weighted_mean_forward(loss, w.astype(np.float64))
        result = {"loss": float(cost)}
        right = self.loss.count_right(f, t)
        if right is not None:
            result["accuracy"] = int(right) / len(x)
        return result

    def _check_loss(self, loss: float) -> None:
        if not np.isfinite(loss):
            self._check_parameters()
            raise DataError(f"the loss does not fit {self.dtype}, it came out as {loss}; scale x and targets")

    def _check_parameters(self) -> None:
        """Raise a DataError that names the first parameter holding a NaN or an infinity."""
        for name, W in self.arrays.items():
            check_finite(W, name)

    def _scores(self, x: Samples, batch_size: int) -> Array:
        size = whole_number(batch_size, "batch_size")
        parts = (self.floats(x[start : start + size]) for start in range(0, max(1, len(x)), size))
        if type(self).forward is not Network.forward:  # a subclass has its own
            return np.concatenate([self.forward(part)[0] for part in parts])
        return np.concatenate([self._passes.scores(self.body, part) for part in parts])

    def floats(self, x: Samples) -> Array:
        """Checked inputs as an array of this network's dtype: Pixels are read, an array is it already."""
        return gather_bytes(x.bytes, np.arange(len(x)), np.ones((), self.dtype)) if isinstance(x, Pixels) else x

    def check_inputs(self, x: Any, name: str = "x") -> Samples:
        """`x` as this network takes it, (N, *input_shape); builds the network at the first data.

        Pixels stay Pixels, without gaps in memory; anything else becomes an array of the network's dtype.

        Raises:
            DataTypeError: not an array of numbers.
            ShapeError: the samples have another shape than the network was built for.
            DataError: NaN or infinity, or for an Embedding no whole numbers below its `words`; names the first row.

        """
        if isinstance(x, Pixels):
            inputs: Samples = Pixels(np.ascontiguousarray(x.bytes))
        else:
            inputs = as_floats(x, name, self.dtype)
        if inputs.ndim < 2:
            hint = f"{name}[None]" if inputs.shape == self.input_shape else f"{name}[:, None] if it has one feature"
            raise ShapeError(f"{name}: expected samples along the first axis, got an array {inputs.shape}; pass {hint}")
        if self.input_shape is None:
            self.build(inputs.shape[1:])
        if inputs.shape[1:] != self.input_shape:
            raise ShapeError(f"{name}: expected samples of shape {self.input_shape}, got {inputs.shape[1:]}")
        if self.body.inputs_below is not None:
            check_whole_numbers(self.floats(inputs), name, self.body.inputs_below)
        return inputs

    def check_data(self, x: Any, targets: Any, name: str = "") -> tuple[Samples, Array]:
        """`check_inputs` and the loss's `prepare`; refuses no samples, or another number of targets than samples."""
        before = f"{name} " if name else ""
        inputs = self.check_inputs(x, f"{before}x")
        t = self.loss.prepare(targets, self.output_shape, f"{before}targets")
        t = as_floats(t, f"{before}targets", self.dtype) if t.dtype.kind == "f" else t
        if len(inputs) != len(t):
            raise ShapeError(f"{before}x has {len(inputs)} samples, {before}targets {len(t)}; they must be as many")
        if len(inputs) == 0:
            raise DataError(f"{before}x: expected at least one sample, got none")
        return inputs, t

    def check_weights(self, t: Array, sample_weight: Any, class_weight: Any, name: str = "") -> Array | None:
        """One weight for each sample (N,) of prepared targets t, with a mean of 1; None where all count alike.

        Raises:
            DataError, DataTypeError, SettingError: see `evaluate`; or all weights are 0.

        """
        before = f"{name} " if name else ""
        weights = as_sample_weights(sample_weight, len(t), f"{before}sample_weight")
        by_class = self.check_class_weights(class_weight, t, weights, f"{before}class_weight")
        return combined(weights, by_class, self.loss.classes_of(t), self.dtype)

    def check_class_weights(self, value: Any, t: Array, weights: Array | None, name: str) -> Array | None:
        """One weight for each class (K,), or None; "balanced" by prepared targets t and weights of their samples."""
        return as_class_weights(value, self.loss.classes_of(t), max((2, *self.output_shape)), weights, name)

    def summary(self) -> Summary:
        """A table of layers, output shapes and parameters; print it, or show it in a notebook. Raises NotBuiltError."""
        self._require_built()
        return summarize(self.body, self.loss)

    def explain(
        self,
        x: Any,
        target: Any,
        *,
        parameter: str | None = None,
        index: int | tuple[int, ...] | None = None,
        optimizer: Optimizer | None = None,
        terms: int = 5,
        training: bool = False,
        seed: int = 0,
        step: int = 1,
    ) -> Derivation:
        """One forward and one backward pass as a derivation with its numbers: print it, or show it in a notebook.

        Args:
            x: samples (N, *input_shape), or a single one without the batch axis.
            target: their targets, or that of the single sample.
            parameter: the name of a parameter, "layers[0].W" or "layers.0.W", or "x": then the full chain to one of
                its numbers is added, as the sum over all paths from it to the loss (mission item E4).
            index: which number of it; of x, the sample comes first, and may be left out where there is one.
            optimizer: whose first step is shown at the end; None: SGD().
            terms: how many terms of each sum are shown; the smaller ones are folded.
            training: whether layers work as in training (Dropout, BatchNorm, …).
            seed: of that training: what is dropped is decided by seed and step.
            step: of that training, from 1.

        Returns:
            The derivation; see `chainrule.explain.Derivation`.

        Raises:
            DataError, DataTypeError: see `evaluate`.
            SettingError: there is no such parameter or index.
            DerivationError: a kernel and its formula, or the paths and the gradient, do not agree.

        """
        # The one door in the house that leads upstairs. Whoever has a network looks for this among its methods, and
        # to be found there it must be written here; it is opened only when it is used, so that nothing below depends
        # on what is above. (A method that the upper room hangs onto this class would be seen by no reader or checker.)
        from chainrule.explain import explain

        return explain(
            self, x, target, parameter=parameter, index=index, optimizer=optimizer, terms=terms, training=training,
            seed=seed, step=step,
        )  # fmt: skip

    def save(self, path: Pathlike) -> None:
        """Write the model file (see `chainrule.network.model_file`): atomically, with a checksum.

        Raises:
            OSError: the file could not be written; the old one is intact.
            NotBuiltError: there are no parameters yet.

        """
        from chainrule.network.model_file import save

        self._require_built()
        save(self, path)

    def _require_built(self) -> None:
        if self.input_shape is None:
            raise NotBuiltError("the network has no parameters yet: call network.build(input_shape), or give it data")

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles take over: all but the tapes, which each network records for itself."""
        return {**vars(self), "_passes": Passes()}

    def __repr__(self) -> str:
        names = ", ".join(type(layer).__name__ for layer in self.layers)
        return f"<Network [{names}] with {type(self.loss).__name__}, {self.dtype}>"
