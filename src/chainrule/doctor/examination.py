"""`diagnose`: what is wrong with a training, what shows it, and what to change."""

from __future__ import annotations

import inspect
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.arrays import Array, as_floats, as_numbers
from chainrule.data.splitting import split
from chainrule.doctor.evidence import Evidence, Settings
from chainrule.doctor.facts import facts_of
from chainrule.doctor.failure import FailedStep, failed_step
from chainrule.doctor.finding import Finding, all_rules, judge
from chainrule.doctor.remedy import Trial, fresh, try_change
from chainrule.doctor.watch import Doctor, chance_loss, entropy, recall_of, settings_of
from chainrule.errors import DivergenceError, SettingError
from chainrule.losses import CrossEntropy
from chainrule.network import Network
from chainrule.randomness import stream
from chainrule.training import History, train

USUAL = {name: p.default for name, p in inspect.signature(train).parameters.items() if p.default is not p.empty}


@dataclass(frozen=True, repr=False)
class Examination:
    """What was found in a training. Print it; `findings[0]` is the root cause, and `try_remedy` tries what it says.

    Args:
        findings: root cause first; none where nothing is wrong.
        evidence: what the rules have looked at.
        history: of the training that was examined.
        network: with the weights it ended in; None where only a history was given.
        failed_step: the step that could not be taken, where a value was not finite; `failed_step.save(path)` keeps it.

    """

    findings: tuple[Finding, ...]
    evidence: Evidence
    history: History
    network: Network | None
    failed_step: FailedStep | None = None
    _data: tuple[Any, Any] = (None, None)
    _validation: tuple[Any, ...] | None = None
    _settings: dict[str, Any] = field(default_factory=dict)

    def try_remedy(self, finding: int = 0, *, epochs: int | None = None) -> Trial:
        """Train from the same first weights with the change of a finding, and compare.

        Args:
            finding: which one, counted from 0.
            epochs: how many are compared; None: as many as were planned, or as the change says.

        Raises:
            SettingError: there is no such finding, nothing to change, or no network to train.

        """
        if not 0 <= finding < len(self.findings):
            raise SettingError(f"finding: there are {len(self.findings)}, counted from 0; got {finding!r}")
        chosen = self.findings[finding]
        if not chosen.change:
            raise SettingError(f"{chosen.name}: no setting mends this. {chosen.prescription}")
        if self.network is None:
            raise SettingError("there is no network to train: call diagnose(network, data, ...), or pass network=")
        return try_change(chosen, self.network, self._data, self._validation, self._settings, epochs)

    def __str__(self) -> str:
        if not self.findings:
            return f"Nothing wrong was found: none of {len(all_rules())} rules had anything to say. {self._journey()}"
        first, *others = self.findings
        lines = [f"Trouble: {first.name}", f"  Seen: {first.evidence}", f"  What to do: {first.prescription}"]
        if others:
            lines.append(f"  Seen besides, perhaps because of it: {', '.join(other.name for other in others)}.")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Examination: {', '.join(finding.name for finding in self.findings) or 'nothing wrong'}>"

    def _journey(self) -> str:
        seen = self.evidence
        if not seen.losses:
            return ""
        start = seen.start.get("loss", seen.losses[0])
        return f"In {len(seen.losses)} epochs the loss went from {start:.3g} to {seen.last:.3g}."


def diagnose(
    patient: Network | History,
    data: tuple[Any, Any],
    *,
    validation: tuple[Any, ...] | float | None = None,
    network: Network | None = None,
    **settings: Any,
) -> Examination:
    """Name the trouble of a training, show the evidence, and prescribe a change. Source: mission items B6, D9.

    Given a network, a copy of it is trained from its first weights, which are those of its seed, and examined on the
    way: with the same settings that is the same training again, byte for byte. The network itself is not changed. Given
    the history of a training that is over, that is read as it is; what it does not hold cannot be judged. Figures of
    the layers are in it where `Diagnosis()` or `Doctor()` was among the callbacks.

    Args:
        patient: a network, or a history.
        data: (x, targets) it is, or was, trained on.
        validation: as for `train`.
        network: with a history, the network that was trained.
        settings: of `train`, the same as in the training that went wrong; with a history, those that are known.

    Returns:
        The findings, root cause first. Rows are counted within the training samples.

    Raises:
        SettingError, DataError, DataTypeError: something given cannot be used.

    """
    if isinstance(patient, History):
        return _read(patient, data, validation, network, settings)
    if not isinstance(patient, Network):
        raise SettingError(f"patient: expected a Network or a History, got {type(patient).__name__}")
    (x, t), held_out, settings = hold_out(data, validation, settings)
    doctor = Doctor(held_out, file=io.StringIO())
    copy = fresh(patient)
    step = None
    callbacks = [*settings.get("callbacks", ()), doctor]
    try:
        train(copy, (x, t), validation=held_out, **{**settings, "progress": False, "callbacks": callbacks})
    except DivergenceError as error:
        step = failed_step(doctor.run, error)
    evidence = doctor.evidence(step and step.failure())
    history = doctor.run.history
    return Examination(judge(evidence), evidence, history, copy, step, (x, t), held_out, {**USUAL, **settings})


def hold_out(
    data: tuple[Any, Any], validation: tuple[Any, ...] | float | None, settings: dict[str, Any]
) -> tuple[tuple[Any, Any], tuple[Any, ...] | None, dict[str, Any]]:
    """Training data, validation data and settings; a share is taken out of the training data as `train` does it."""
    if not isinstance(validation, int | float):
        return data, validation, settings
    x, t = data
    rows, weights = np.arange(len(t)), settings.get("sample_weight")
    (kept, _), (held, _) = split(rows, rows, validation, stream(settings.get("seed", USUAL["seed"]), "validation"))
    x, t = x if hasattr(x, "__array__") else np.asarray(x), np.asarray(t)
    if weights is None:
        return (x[kept], t[kept]), (x[held], t[held]), settings
    weights = np.asarray(weights)
    return (x[kept], t[kept]), (x[held], t[held], weights[held]), {**settings, "sample_weight": weights[kept]}


def _read(
    history: History,
    data: tuple[Any, Any],
    validation: tuple[Any, ...] | float | None,
    network: Network | None,
    settings: dict[str, Any],
) -> Examination:
    """The examination of a training that is over."""
    data, held_out, settings = hold_out(data, validation, settings)
    x, t = _checked(data, network, "training")
    xv = None if held_out is None else _checked((held_out[0], held_out[1]), network, "validation")[0]
    labels = t if network is None and t.ndim == 1 and t.dtype.kind == "i" else None
    classes = labels if network is None else network.loss.classes_of(t)
    numbers = network is None or network.body.inputs_below is None
    evidence = Evidence(
        history=history.to_dict(),
        chance=entropy(labels) if labels is not None else None if network is None else chance_loss(network, t),
        layers=() if network is None else network.layers,
        loss=network and network.loss,
        settings=_known(settings, len(t), network),
        facts=facts_of(x, t, classes, xv, measurements=numbers),
        recall=None if network is None or classes is None else recall_of(network, x, t),
    )
    return Examination(judge(evidence), evidence, history, network, None, data, held_out, {**USUAL, **settings})


def _checked(data: tuple[Any, Any], network: Network | None, name: str) -> tuple[Array, Array]:
    if network is not None:
        x, t = network.check_data(*data, name)
        return network.floats(x), t
    return as_floats(data[0], f"{name} x", np.float32), as_numbers(data[1], f"{name} targets")


def _known(settings: dict[str, Any], samples: int, network: Network | None) -> Settings | None:
    """The settings of a training that is over, where its optimizer is among those given."""
    if network is None or "optimizer" not in settings:
        return None
    all_settings = {**USUAL, **settings}
    size = min(all_settings["batch_size"] or samples, samples)
    return settings_of(
        network, all_settings["optimizer"], all_settings["optimizer"].learning_rate, -(-samples // size), samples,
        all_settings["epochs"], all_settings["penalty"], all_settings["class_weight"] is not None,
    )  # fmt: skip
