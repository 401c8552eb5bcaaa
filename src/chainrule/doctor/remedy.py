"""From a finding's change to another network, other data and other settings."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.configuration import JSON, Configurable
from chainrule.data import Standardizer
from chainrule.errors import SettingError
from chainrule.initializers import Initializer
from chainrule.layers import Layer
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.optimizers import ClipNorm
from chainrule.training import EarlyStopping

Description = dict[str, Any]  # of a layer, see `Configurable`
Data = tuple[Any, Any]  # samples and targets


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
    if "early_stopping" in change:
        stopping = EarlyStopping(patience=int(change["early_stopping"]))  # type: ignore[arg-type, call-overload]
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
