"""The rules of the doctor on evidence made by hand: where the line runs between trouble and none."""

from dataclasses import replace

import numpy as np
import pytest

import chainrule as cr
from chainrule.doctor import Cause, Evidence, Facts, Failure, Finding, Neighbours, Settings, finding, rule
from chainrule.doctor.finding import all_rules, judge, round_down

EPOCHS = 20


def built(*layers):
    """Layers that have their parameters, as those of a training have."""
    return cr.Network(layers, loss=cr.SquaredError()).build((4,)).layers


FALLING = [2.0 * 0.8**epoch for epoch in range(EPOCHS)]
SETTINGS = Settings(cr.SGD(0.1), learning_rate=0.1, batch_size=32, steps_per_epoch=30, epochs=EPOCHS)
NEAR = Neighbours(agreement=0.95, chance=0.1, pure=0.8, doubtful=(3, 5))
FACTS = Facts(960, 4, spread=np.ones(4), offset=np.zeros(4), classes=np.full(10, 96), neighbours=NEAR)
SOUND = Evidence(
    history={
        "loss": FALLING,
        "accuracy": [0.95] * EPOCHS,
        "validation_loss": FALLING,
        "layers.0.W.update_ratio": [0.001] * EPOCHS,
        "layers.1.dead": [0.1] * EPOCHS,
    },
    start={
        "loss": 2.4,
        "layers.0.deviation": 1.0,
        "layers.1.deviation": 0.6,
        "layers.2.deviation": 0.8,
        "layers.1.dead": 0.1,
        "layers.1.saturated": 0.0,
        "layers.0.W.update_ratio": 0.01,
        "layers.2.W.update_ratio": 0.01,
        "layers.0.W.gradient_norm": 0.5,
        "layers.2.W.gradient_norm": 1.0,
    },
    chance=2.3,
    layers=built(cr.Linear(30), cr.ReLU(), cr.Linear(10)),
    loss=cr.CrossEntropy(),
    settings=SETTINGS,
    facts=FACTS,
    recall=np.full(10, 0.95),
)


def but(**parts):
    """The sound training, but for this."""
    return replace(SOUND, **parts)


def starting(**figures):
    return but(start={**SOUND.start, **{name.replace("__", "."): value for name, value in figures.items()}})


def with_history(**figures):
    return but(history={**SOUND.history, **{name.replace("__", "."): value for name, value in figures.items()}})


def with_facts(**facts):
    return but(facts=replace(FACTS, **facts))


def with_settings(**settings):
    return but(settings=replace(SETTINGS, **settings))


def names(seen):
    return [finding.name for finding in judge(seen)]


def test_nothing_is_said_of_a_sound_training():
    assert judge(SOUND) == ()


def test_nothing_is_said_where_nothing_is_known():
    assert judge(Evidence(history={})) == ()
    assert judge(Evidence(history={"loss": FALLING})) == ()


THIN = [0.95] * 9
CASES = {
    "outlying values": with_facts(far=(17,), farthest=1e9),
    "unscaled inputs": with_facts(spread=np.array([1, 300, 1, 1])),
    "leaked rows": with_facts(leaked=tuple(range(30)), leaked_share=0.1),
    "wrong labels": with_facts(neighbours=replace(NEAR, agreement=0.6, pure=0.05)),
    "class imbalance": but(facts=replace(FACTS, classes=np.array([*[105] * 9, 15])), recall=np.array([*THIN, 0.2])),
    "softmax twice": but(layers=(*SOUND.layers, cr.Softmax())),
    "sigmoid twice": but(layers=(*SOUND.layers, cr.Sigmoid()), loss=cr.BinaryCrossEntropy()),
    "dead ReLUs": starting(layers__1__dead=0.7),
    "saturated units": starting(layers__1__saturated=0.6),
    "exploding gradients": starting(layers__2__deviation=11.0),
    "penalty too strong": replace(
        with_history(loss=[2.3] * EPOCHS, accuracy=[0.1] * EPOCHS),
        settings=replace(SETTINGS, penalty=cr.L2(100), penalty_scale=0.3),
    ),
    "batch too large": replace(
        with_history(loss=[2.3 - 0.02 * e for e in range(EPOCHS)], accuracy=[0.3] * EPOCHS),
        settings=replace(SETTINGS, batch_size=960, steps_per_epoch=1),
    ),
    "batch too small": replace(
        with_history(validation_loss=[0.5] * 10 + [0.8] * 10, accuracy=[0.8] * EPOCHS),
        settings=replace(SETTINGS, batch_size=1, steps_per_epoch=960),
        start={**SOUND.start, "layers.0.W.update_ratio": 0.1},
    ),
    "learning rate too high": starting(layers__0__W__update_ratio=3.0),
    "learning rate too low": but(
        history={"loss": [2.3] * EPOCHS, "accuracy": [0.1] * EPOCHS, "layers.0.W.update_ratio": [1e-5] * EPOCHS},
        start={"loss": 2.3, "layers.0.W.update_ratio": 1e-5},
    ),
    "overfitting": with_history(validation_loss=[0.5] * 10 + [0.8] * 10),
    "underfitting": replace(
        with_history(accuracy=[0.6] * EPOCHS), layers=built(cr.Linear(2), cr.ReLU(), cr.Linear(10))
    ),
    "too little training": with_history(accuracy=[0.6] * EPOCHS),
    "values not finite": but(failure=Failure(3, 70, "layer 1 (ReLU)", "relu_backward", 0.5, sample=8)),
}


@pytest.mark.parametrize("name", CASES)
def test_each_trouble_has_its_name(name):
    assert names(CASES[name])[:1] == [name]


@pytest.mark.parametrize("name", CASES)
def test_a_finding_is_said_in_two_sentences_with_numbers_and_a_change_that_can_be_made(name):
    found = judge(CASES[name])[0]
    assert found.evidence.endswith(".")
    assert found.prescription.endswith(".")
    assert "nan" not in found.evidence
    assert len(found.evidence) < 260
    assert found.change
    assert any(character.isdigit() for character in found.evidence) or name.endswith("twice")


def test_vanishing_gradients_need_depth():
    deep = {f"layers.{i}.W.gradient_norm": 10.0 ** (i - 8) for i in (0, 2, 4, 6, 8)}
    ratios = {f"layers.{i}.W.update_ratio": 0.01 for i in (0, 2, 4, 6, 8)}
    assert names(but(start={**SOUND.start, **deep, **ratios}))[:1] == ["vanishing gradients"]
    assert names(starting(layers__0__W__gradient_norm=1e-6)) == []


@pytest.mark.parametrize(
    "seen",
    [
        with_facts(spread=np.array([0.002, 0.4, 16, 1])),  # raw pixels, some of them hardly ever inked
        with_facts(leaked=(1, 2), leaked_share=0.05),  # two rows may be alike by chance
        with_facts(leaked=tuple(range(500)), leaked_share=1.0, repeated=0.9),  # a truth table
        with_facts(neighbours=replace(NEAR, agreement=0.7, pure=0.4)),  # classes that overlap
        with_facts(classes=np.array([*[105] * 9, 15])),  # rare, and found all the same
        but(layers=(*SOUND.layers, cr.LogSoftmax())),  # twice is as once
        but(layers=(*SOUND.layers, cr.Softmax()), loss=cr.SquaredError()),
        starting(layers__1__dead=0.4),
        with_settings(penalty=cr.L2(0.1), penalty_scale=1e-4),
        replace(  # the full batch, where the loss has come down
            with_history(loss=[1.0] + [0.1] * (EPOCHS - 1)),
            settings=replace(SETTINGS, batch_size=960, steps_per_epoch=1),
        ),
        with_settings(batch_size=1, steps_per_epoch=960),  # single samples, and a rate that suits them
        with_history(validation_loss=[*FALLING[:-1], 3.0]),  # one bad epoch is no trend
        with_settings(optimizer=cr.LBFGS()),
    ],
)
def test_what_looks_like_trouble_and_is_none(seen):
    assert names(seen) == []


def test_the_root_cause_comes_first():
    seen = but(
        facts=replace(FACTS, spread=np.full(4, 500.0)),
        start={**SOUND.start, "layers.1.saturated": 0.99, "layers.0.W.update_ratio": 50.0},
        failure=Failure(1, 2, "layer 2 (Linear)"),
    )
    assert names(seen) == ["unscaled inputs", "saturated units", "learning rate too high", "values not finite"]


def test_too_little_training_is_said_only_where_nothing_else_is():
    seen = replace(CASES["too little training"], layers=(*SOUND.layers, cr.Softmax()))
    assert names(seen) == ["softmax twice"]


def test_targets_that_have_slipped_are_moved_back():
    seen = with_facts(neighbours=replace(NEAR, agreement=0.1, pure=0.05, shift=-1, shifted=0.95))
    (found,) = judge(seen)
    assert found.change == {"roll_targets": -1}
    assert "moved up by 1 row" in found.evidence


def test_momentum_adds_steps_up():
    seen = replace(starting(layers__0__W__update_ratio=0.3), settings=replace(SETTINGS, optimizer=cr.Momentum()))
    assert seen.first_step == pytest.approx(3.0)
    assert names(seen) == ["learning rate too high"]


def test_a_rule_is_found_by_itself(monkeypatch):
    monkeypatch.setattr(finding, "RULES", dict(all_rules()))

    @rule
    def too_many_epochs(seen):
        if len(seen.losses) < 10:
            return None
        return Finding("too many epochs", "There were 20.", "Go out and play.", Cause.STEPS, {"epochs": 9})

    assert names(SOUND) == ["too many epochs"]


def test_every_rule_is_one_documented_function_that_names_its_trouble():
    for name, one in all_rules().items():
        assert one.__doc__
        assert name == name.lower()


@pytest.mark.parametrize(("value", "expected"), [(0.1, 0.1), (0.19, 0.1), (0.0034, 0.002), (7.0, 5.0), (1e-9, 1e-9)])
def test_a_prescribed_number_is_a_round_one(value, expected):
    assert round_down(value) == expected
