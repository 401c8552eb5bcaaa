"""A finding's change, made and tried: another network, other data, other settings, and both curves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.configuration import JSON, Configurable
from chainrule.data import Standardizer
from chainrule.doctor.finding import Finding
from chainrule.errors import DataError, DivergenceError, SettingError
from chainrule.initializers import Initializer
from chainrule.layers import Layer
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.optimizers import ClipNorm
from chainrule.training import Callback, EarlyStopping, History, Run, train

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROWS = 8  # epochs shown in a text

Description = dict[str, Any]  # of a layer, see `Configurable`
Data = tuple[Any, Any]  # samples and targets


@dataclass(frozen=True)
class Trial:
    """A training, and the same again with one change. Print it, or draw it.

    Args:
        finding: whose change it is.
        before: the history without the change.
        after: with it.
        figure: which of their figures is compared: "validation_loss", or "loss" where there were no such data.
        loss_before: of the final weights, on these data, without a penalty; infinite where a value was not finite.
        loss_after: likewise. Where the change is that classes count alike, they do so in both.

    """

    finding: Finding
    before: History
    after: History
    figure: str
    loss_before: float
    loss_after: float

    @property
    def improves(self) -> bool:
        """Whether the loss is lower with the change."""
        return self.loss_after < self.loss_before

    def __str__(self) -> str:
        name = self.figure.replace("_", " ")
        both = [_curve(history, self.figure) for history in (self.before, self.after)]
        epochs = max(len(both[0]), len(both[1]), 1)
        shown = sorted({round(e) for e in np.linspace(1, epochs, min(epochs, ROWS))})
        lines = [f"Tried against {self.finding.name}: {_in_words(self.finding.change)}", f"  epoch  {name}", ""]
        lines[-1] = f"  {'':5}  {'before':>10}  {'after':>10}"
        lines += [f"  {e:5}  " + "  ".join(f"{_at(curve, e):>10}" for curve in both) for e in shown]
        verdict = "better" if self.improves else "no better"
        return "\n".join(
            [*lines, f"  at the end {self.loss_before:.4g} before, {self.loss_after:.4g} after: {verdict}"]
        )

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Both curves over the epochs. Raises MissingExtraError without matplotlib."""
        from chainrule.plots.curves import logarithmic, whole_numbers
        from chainrule.plots.figures import BLUE, INK, VERMILION, axes_or_new, tidy

        ax = tidy(axes_or_new(ax, (5.2, 3.6)))
        for history, label, colour, style in (
            (self.before, "before", VERMILION, "--"),
            (self.after, f"after: {_in_words(self.finding.change)}", BLUE, "-"),
        ):
            curve = _curve(history, self.figure)
            marker = "o" if len(curve) == 1 else None
            ax.plot(range(1, len(curve) + 1), curve, style, color=colour, label=label, marker=marker, linewidth=1.8)
        ax.set_title(f"Against {self.finding.name}")
        ax.set_xlabel("epoch")
        ax.set_ylabel(self.figure.replace("_", " "))
        whole_numbers(ax)
        if all(loss > 0 for history in (self.before, self.after) for loss in _curve(history, self.figure)):
            logarithmic(ax)
        ax.legend(frameon=False, labelcolor=INK)
        return ax


def try_change(
    finding: Finding,
    network: Network,
    data: Data,
    validation: tuple[Any, ...] | None,
    settings: dict[str, Any],
    epochs: int | None,
) -> Trial:
    """Train with and without the change of a finding, from first weights, and compare."""
    settings = {**settings, "progress": False, "checkpoint": None, "resume": False}
    changed = change_settings(settings, finding.change)
    if epochs is not None:
        settings, changed = {**settings, "epochs": epochs}, {**changed, "epochs": epochs}
    weights = {"class_weight": finding.change["class_weight"]} if "class_weight" in finding.change else {}
    before, loss_before = _train(fresh(network), data, validation, settings, weights)
    other_data, other_validation = change_data(data, validation, finding.change)
    after, loss_after = _train(fresh(network, finding.change), other_data, other_validation, changed, weights)
    figure = "loss" if validation is None else "validation_loss"
    return Trial(finding, before, after, figure, loss_before, loss_after)


def _train(
    network: Network, data: Data, validation: tuple[Any, ...] | None, settings: dict[str, Any], weights: dict[str, Any]
) -> tuple[History, float]:
    """The history, and the loss of the final weights."""
    kept = _Keep()
    given = {name: value for name, value in settings.items() if name not in ("validation", "callbacks")}
    callbacks = [*settings.get("callbacks", ()), kept]
    try:
        train(network, data, validation=validation, callbacks=callbacks, **given)
        x, t = data if validation is None else validation[:2]
        return kept.history, network.evaluate(x, t, **weights)["loss"]
    except (DivergenceError, DataError):  # a value was not finite in a step, or in what the weights answer
        return kept.history, math.inf


class _Keep(Callback):
    """Keeps hold of the history of a training that may not end well."""

    def on_train_start(self, run: Run) -> None:
        self.history = run.history


def _curve(history: History, name: str) -> list[float]:
    return [record[name] for record in history.records]


def _at(curve: list[float], epoch: int) -> str:
    return f"{curve[epoch - 1]:.4g}" if epoch <= len(curve) else "–"


def _in_words(change: dict[str, JSON]) -> str:
    """A change as text; lists of rows by their number."""
    parts = []
    for name, value in change.items():
        rows = f"{len(value)} row{'s' if len(value) > 1 else ''}" if isinstance(value, list) else None
        names = ", ".join(f"{a} → {b}" for a, b in value.items()) if isinstance(value, dict) else None
        parts.append(f"{name.replace('_', ' ')} {rows or names or value}")
    return ", ".join(parts)


def fresh(network: Network, change: dict[str, JSON] | None = None) -> Network:
    """A network like this with its first weights, changed as told; frozen parameters keep their values."""
    layers = [layer.configuration() for layer in network.layers]
    for name, value in (change or {}).items():
        if name in OF_LAYERS:
            layers = OF_LAYERS[name](layers, value)
    made = Network(
        [Layer.from_configuration(layer) for layer in layers],
        Loss.from_configuration(network.loss.configuration()),
        seed=network.seed,
        dtype=network.dtype,
        metadata=network.metadata,
    )
    if network.frozen:
        made.build(network.input_shape or ())
        for name in network.frozen:
            made.parameters[name][...] = network.parameters[name]
        made.freeze(*network.frozen)
    return made


def change_data(data: Data, validation: Data | None, change: dict[str, JSON]) -> tuple[Data, Data | None]:
    """Training and validation data, changed as told."""
    x, t = data
    if rows := change.get("leave_out"):
        x, t = np.delete(np.asarray(x), rows, axis=0), np.delete(np.asarray(t), rows, axis=0)  # type: ignore[arg-type]
    if shift := change.get("roll_targets"):
        t = np.roll(t, shift, axis=0)  # type: ignore[arg-type]
    if change.get("standardize"):
        standardizer = Standardizer.fit(x)
        x = standardizer.apply(x)
        if validation is not None:
            validation = standardizer.apply(validation[0]), *validation[1:]
    return (x, t), validation


def change_settings(settings: dict[str, Any], change: dict[str, JSON]) -> dict[str, Any]:
    """The settings of `train`, changed as told."""
    changed = dict(settings)
    for name in ("batch_size", "epochs", "class_weight"):
        if name in change:
            changed[name] = change[name]
    if "learning_rate" in change:
        changed["optimizer"] = with_setting(settings["optimizer"], "learning_rate", change["learning_rate"])
    if "penalty" in change:
        strength = change["penalty"]
        changed["penalty"] = strength and with_setting(settings["penalty"], "strength", strength)
    if "clip" in change:
        changed["clip"] = ClipNorm(float(change["clip"]))  # type: ignore[arg-type]
    if "leave_out" in change and settings.get("sample_weight") is not None:
        changed["sample_weight"] = np.delete(np.asarray(settings["sample_weight"]), change["leave_out"])  # type: ignore[arg-type]
    if "early_stopping" in change:
        stopping = EarlyStopping(patience=int(change["early_stopping"]))  # type: ignore[arg-type]
        changed["callbacks"] = [*settings.get("callbacks", ()), stopping]
    return changed


def with_setting(one: Any, name: str, value: JSON) -> Any:
    """A copy of an optimizer or a penalty with another value of one setting."""
    return Configurable.from_configuration({**one.configuration(), name: value})


def _weights(layers: list[Description], start: JSON) -> list[Description]:
    return _everywhere(layers, "weights", _initializer(start))


def _biases(layers: list[Description], start: JSON) -> list[Description]:
    return _everywhere(layers, "biases", _initializer(start))


def _initializer(name: JSON) -> JSON:
    return Initializer.from_configuration({"class": name}).configuration()


def _everywhere(layers: list[Description], name: str, value: JSON) -> list[Description]:
    """Every layer that has a setting `name` with this value, those within others too."""
    return [
        {
            key: value if key == name else _everywhere(part, name, value) if key == "layers" else part
            for key, part in layer.items()
        }
        for layer in layers
    ]


def _activation(layers: list[Description], names: JSON) -> list[Description]:
    """Other activations, such as {"Sigmoid": "ReLU"}, before the last layer that has weights."""
    if not isinstance(names, dict):
        raise SettingError(f"activation: expected names such as {{'Sigmoid': 'ReLU'}}, got {names!r}")
    last = _last_linear(layers)
    return [
        Layer.from_configuration({"class": names[layer["class"]]}).configuration()
        if position < last and layer["class"] in names
        else layer
        for position, layer in enumerate(layers)
    ]


def _hidden(layers: list[Description], units: JSON) -> list[Description]:
    """At least so many units in every hidden Linear; one of them with ReLU where there is none."""
    last = _last_linear(layers)
    wider = [
        {**layer, "out_features": max(layer["out_features"], units)}
        if layer["class"] == "Linear" and position < last
        else layer
        for position, layer in enumerate(layers)
    ]
    if any(layer["class"] == "Linear" for layer in layers[:last]):
        return wider
    hidden = {"class": "Linear", "out_features": units, "weights": {"class": "He"}}
    return [*wider[:last], hidden, {"class": "ReLU"}, *wider[last:]]


def _last_linear(layers: list[Description]) -> int:
    places = [position for position, layer in enumerate(layers) if layer["class"] == "Linear"]
    if not places:
        raise SettingError("the network has no Linear layer that this change could be made at")
    return places[-1]


def _drop_last_layer(layers: list[Description], _: JSON) -> list[Description]:
    return layers[:-1]


OF_LAYERS = {
    "weights": _weights,
    "biases": _biases,
    "activation": _activation,
    "hidden": _hidden,
    "drop_last_layer": _drop_last_layer,
}
