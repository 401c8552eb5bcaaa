"""What can be trained and scored again and again: networks, functions that make them, scikit-learn's estimators."""

import copy
import hashlib
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from chainrule.configuration import JSON, Configurable, positive_number, real_number
from chainrule.errors import SettingError
from chainrule.layers import Sequential
from chainrule.network import Network
from chainrule.optimizers import Adam, Optimizer
from chainrule.regularizers import L1, L2, ElasticNet, Penalty
from chainrule.training import train
from chainrule.training.checkpoint import digest

SHORT = ("learning_rate", "l1", "l2")  # further settings: the optimizer's rate, and strengths of penalties
OWN = ("network", "data", "sample_weight", "seed", "checkpoint", "resume", "progress")  # differ from run to run
TRAINING = tuple(name for name in inspect.signature(train).parameters if name not in OWN)


class Training(NamedTuple):
    """A network with its first weights to come, and the settings with which `train` teaches it."""

    network: Network
    settings: dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A network, a function that makes one, or an estimator; and settings of the function, of `train`, or of it."""

    source: Any
    settings: dict[str, Any]

    @property
    def is_estimator(self) -> bool:
        """Whether it is one of scikit-learn's kind."""
        return is_estimator(self.source)

    def with_settings(self, further: dict[str, Any]) -> "Candidate":
        """The same with further settings, which go before those it has. Raises SettingError."""
        return as_candidate(self.source, {**self.settings, **further})

    def training(self, seed: int) -> Training:
        """The network with this seed, and what else `train` is given. A network with weights keeps them.

        Raises:
            SettingError: the function gives something else than a network, or settings do not go together.

        """
        made = self.source
        further: dict[str, Any] = {}
        names = _parameters(made) if not isinstance(made, Network) else ()
        own = {name: value for name, value in self.settings.items() if names is None or name in names}
        if not isinstance(made, Network):
            made = made(**own)
            if isinstance(made, tuple) and len(made) == 2 and isinstance(made[1], dict):
                made, further = made
            _refuse_others(further, (*TRAINING, *SHORT))
            if not isinstance(made, Network):
                raise SettingError(f"model: expected a function that gives a Network, got {made!r} from it")
        network = copy.deepcopy(made)  # a function may give the same one each time
        if network.input_shape is None:
            network.seed = seed
        rest = {name: value for name, value in self.settings.items() if name not in own}
        return Training(network, _for_train({**further, **rest}))

    def estimator(self, seed: int) -> Any:
        """The estimator as new, with its settings and this seed in each `random_state`."""
        from sklearn.base import clone

        made = clone(self.source).set_params(**self.settings)
        states = [name for name in made.get_params() if name.split("__")[-1] == "random_state"]
        return made.set_params(**dict.fromkeys(states, seed))

    def key(self, seed: int) -> str:
        """Digits that tell this candidate from every other: of all that its scores depend on but the data.

        Raises:
            SettingError: a layer or a setting cannot be written down.

        """
        if self.is_estimator:
            import joblib

            return str(joblib.hash(self.estimator(seed)))
        text = json.dumps(_description(self.training(seed)), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def as_candidate(model: Any, settings: dict[str, Any]) -> Candidate:
    """The candidate that `model` stands for, or a pair of a model and settings of its own, with these settings.

    Raises:
        SettingError: it is none, or has no such setting.

    """
    if isinstance(model, tuple) and len(model) == 2 and isinstance(model[1], dict):
        model, settings = model[0], {**settings, **model[1]}
    if isinstance(model, Candidate):
        return model.with_settings(settings)
    if isinstance(model, Network):
        model = model if model.input_shape is None else _as_new(model)
    elif not is_estimator(model) and (not callable(model) or isinstance(model, type)):
        raise SettingError(f"model: expected a Network, a function that gives one, or an estimator, got {model!r}")
    _check_names(model, settings)
    return Candidate(model, settings)


def is_estimator(model: Any) -> bool:
    """Whether `model` is an object with scikit-learn's methods."""
    return not isinstance(model, type) and hasattr(model, "get_params") and hasattr(model, "fit")


def _description(training: Training) -> JSON:
    """All that the weights after training depend on, but for data and seed."""
    network, settings = training
    built = network.input_shape is not None
    return {
        "layers": network.body.configuration(),
        "loss": network.loss.configuration(),
        "dtype": network.dtype.name,
        "weights": digest(*network.arrays.values()) if built else None,
        "frozen": list(network.frozen),
        "settings": {name: _described(name, settings[name]) for name in sorted(settings)},
    }


def _as_new(network: Network) -> Network:
    """The same network without weights: those it has may have seen what it shall be tested on."""
    body = Sequential.from_configuration(network.body.configuration())
    return Network(
        body.layers, type(network.loss).from_configuration(network.loss.configuration()), dtype=network.dtype
    )


def _parameters(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """The names that a function takes; None: it takes any."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))


def _check_names(model: Any, settings: dict[str, Any]) -> None:
    if is_estimator(model):
        known: tuple[str, ...] | None = tuple(model.get_params())
    elif isinstance(model, Network):
        known = (*TRAINING, *SHORT)
    else:
        own = _parameters(model)
        known = None if own is None else (*own, *TRAINING, *SHORT)
    if known is not None:
        _refuse_others(settings, known)


def _refuse_others(settings: dict[str, Any], known: tuple[str, ...]) -> None:
    """Raise a SettingError where a name is not `known`."""
    for name in settings:
        if name not in known:
            why = f"{name} is for a single training" if name in OWN else f"there is no setting {name!r}"
            raise SettingError(f"{why}; there are {', '.join(known)}")


def _for_train(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings as `train` takes them: rate and strengths become an optimizer and a penalty."""
    found = {name: value for name, value in settings.items() if name not in SHORT}
    if "learning_rate" in settings:
        found["optimizer"] = _at_rate(found.get("optimizer", Adam()), settings["learning_rate"])
    l1, l2 = (real_number(settings.get(name, 0), name) for name in ("l1", "l2"))
    if l1 or l2:
        if found.get("penalty") is not None:
            raise SettingError("l1, l2: there is a penalty already; give the one or the other")
        found["penalty"] = _penalty(l1, l2)
    if "callbacks" in found:
        found["callbacks"] = copy.deepcopy(found["callbacks"])  # each training has its own
    return found


def _at_rate(optimizer: Any, rate: Any) -> Optimizer:
    """The optimizer with this learning rate, all else as it is."""
    if not isinstance(optimizer, Optimizer):
        raise SettingError(f"optimizer: expected an Optimizer such as SGD(0.1), got {optimizer!r}")
    settings = {**optimizer.configuration(), "learning_rate": positive_number(rate, "learning_rate")}
    return type(optimizer).from_configuration(settings)


def _penalty(l1: float, l2: float) -> Penalty:
    if not l1 or not l2:
        return L1(l1) if l1 else L2(l2)
    return ElasticNet(l1 + l2, l1 / (l1 + l2))


def _described(name: str, value: Any) -> JSON:
    if isinstance(value, Configurable):
        return value.configuration()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [_described(name, part) for part in value]
    if isinstance(value, dict):
        return {str(key): _described(name, part) for key, part in value.items()}
    if hasattr(value, "dtype"):
        return digest(value)
    if hasattr(value, "__dict__"):  # a callback: its class and settings
        return {"class": type(value).__qualname__, **{key: _described(name, part) for key, part in vars(value).items()}}
    raise SettingError(f"{name}: {value!r} cannot be written down, which a checkpoint needs")
