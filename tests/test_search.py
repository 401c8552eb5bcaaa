"""Search: what is tried, what is best, what fails; and that it goes on where it was cut off."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import plots
from chainrule.errors import DataError, ModelFileError, SettingError
from chainrule.selection import LogScale, Search, Trial

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype(np.float32)
VALUES = (X @ [1.0, -2.0, 0.5] + 1).astype(np.float32)
SPACE = {"learning_rate": [0.01, 1.0, 1e20], "units": [2, 4]}
QUICK = {"epochs": 2, "optimizer": cr.SGD(), "folds": 2, "progress": False}


def network(units=2):
    return cr.Network([cr.Linear(units), cr.Linear(1)], loss=cr.SquaredError())


def searched(space=SPACE, **settings):
    return cr.search(network, (X, VALUES), space, **{**QUICK, **settings})


def validated(**settings):
    return cr.cross_validate(network, (X, VALUES), folds=2, epochs=2, optimizer=cr.SGD(), **settings)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "search.json"


# What is tried


def test_a_scale_is_cut_into_decades():
    assert LogScale(1e-7, 1e-1).grid() == [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
    assert LogScale(0.01, 1, values=5).grid() == [0.01, 0.0316227766017, 0.1, 0.316227766017, 1.0]


def test_draws_from_a_scale_are_as_likely_in_each_decade():
    rng = np.random.default_rng(0)
    drawn = np.array([LogScale(1e-4, 1).draw(rng) for _ in range(4000)])
    decades = np.histogram(drawn, [1e-4, 1e-3, 1e-2, 1e-1, 1])[0]
    assert decades.sum() == 4000
    assert abs(decades - 1000).max() < 100  # 3.6 standard deviations


@pytest.mark.parametrize("limits", [(0, 1), (1, 1), (2, 1), (1, float("inf"))])
def test_scales_that_cannot_be_are_refused(limits):
    with pytest.raises(SettingError, match="LogScale: "):
        LogScale(*limits)


def test_a_grid_is_every_combination():
    found = searched({"learning_rate": LogScale(0.01, 0.1), "units": (2, 3)})
    assert [trial.settings for trial in found.trials] == [
        {"learning_rate": 0.01, "units": 2},
        {"learning_rate": 0.01, "units": 3},
        {"learning_rate": 0.1, "units": 2},
        {"learning_rate": 0.1, "units": 3},
    ]


def some_units(rng):
    return rng.integers(2, 9)


def test_random_trials_are_drawn_from_lists_scales_and_functions():
    space = {"learning_rate": LogScale(1e-3, 0.1), "units": some_units, "batch_size": [10, None]}
    few, more = searched(space, trials=3), searched(space, trials=6)
    assert more.trials[:3] == few.trials
    assert len({trial.settings["learning_rate"] for trial in more.trials}) == 6
    assert {type(trial.settings["units"]) for trial in more.trials} == {int}
    assert searched(space, trials=3, seed=1).trials != few.trials


@pytest.mark.parametrize(
    ("space", "settings", "message"),
    [
        ({}, {}, "space: expected settings by name"),
        ([], {}, "space: expected settings by name"),
        ({"units": []}, {}, "space: units: expected at least one value"),
        ({"units": 3}, {}, "space: units: expected a list of values"),
        ({"optimizer": "adam"}, {}, "space: optimizer: expected a list"),
        ({"units": some_units}, {}, "space: units: a function draws values at random; pass trials="),
        ({"units": [2]}, {"trials": 0}, "trials: expected a whole number"),
        ({"unit": [2]}, {}, "there is no setting 'unit'"),
        ({"learning_rate": [-1]}, {}, "learning_rate: expected a finite number"),
        ({"units": [2]}, {"resume": True}, "resume: say from where, with checkpoint="),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_trained(space, settings, message):
    with pytest.raises(SettingError, match=message):
        searched(space, **settings)


# What is found


def test_each_trial_is_a_cross_validation():
    for trial in searched({"learning_rate": [0.01, 0.1], "units": [2, 4]}, repeats=2).trials:
        alone = cr.cross_validate(
            network, (X, VALUES), folds=2, repeats=2, epochs=2, optimizer=cr.SGD(), **trial.settings
        )
        assert trial.scores == tuple(alone.scores.ravel())
        assert (trial.mean, trial.deviation) == pytest.approx((alone.mean, alone.deviation), rel=1e-12)


def test_trials_that_diverge_have_failed_and_say_why():
    failed = [trial for trial in searched().trials if trial.failure]
    assert [trial.settings["learning_rate"] for trial in failed] == [1e20, 1e20]
    assert failed[0].failure == "diverged in fold 1: the learning rate 1e+20 is too high; try 1e+19"
    assert failed[0].scores == ()


def test_the_best_is_first_and_what_failed_is_last():
    found = searched()
    means = [trial.mean for trial in found.ranked if not trial.failure]
    assert means == sorted(means, reverse=True)
    assert found.best == found.ranked[0]
    assert [bool(trial.failure) for trial in found.ranked] == [False] * 4 + [True] * 2


def test_of_losses_the_lowest_is_best():
    found = searched(score="loss")
    assert found.best.mean == min(trial.mean for trial in found.trials if not trial.failure)


def test_where_all_have_failed_there_is_no_best():
    with pytest.raises(SettingError, match="every trial has failed; the first diverged in fold 1"):
        _ = searched({"learning_rate": [1e20, 1e25]}).best


def test_the_best_settings_can_be_trained_with():
    best = searched().best.settings
    assert (
        cr.cross_validate(network, (X, VALUES), folds=2, epochs=2, optimizer=cr.SGD(), **best).mean
        == searched().best.mean
    )


def test_a_mistake_in_the_data_ends_the_search():
    with pytest.raises(DataError, match="must be finite"):
        cr.search(network, (np.full_like(X, np.nan), VALUES), SPACE, **QUICK)


def test_estimators_can_be_searched():
    from sklearn.linear_model import Ridge

    found = cr.search(Ridge(), (X, VALUES), {"alpha": LogScale(1e-3, 1e3)}, progress=False)
    assert found.best.settings == {"alpha": 0.001}


# The checkpoint


def test_a_search_that_is_resumed_runs_only_what_is_missing(path, monkeypatch):
    first = searched(checkpoint=path)
    tried = []
    monkeypatch.setattr("chainrule.selection.searching._try_out", lambda key, *rest: tried.append(key))
    assert searched(checkpoint=path, resume=True) == first
    assert tried == []


def test_a_larger_space_takes_over_what_is_done(path):
    searched({"learning_rate": [0.01], "units": [2, 4]}, checkpoint=path)
    done = set(json.loads(path.read_bytes().partition(b"\n")[2])["trials"])
    assert searched(checkpoint=path, resume=True) == searched()
    assert done < set(json.loads(path.read_bytes().partition(b"\n")[2])["trials"])


SLOW = """
import sys, time
sys.path.insert(0, {folder!r})
import chainrule as cr, test_search
from chainrule.selection import searching

def slowly(*arguments, before=searching._try_out):
    time.sleep(0.2)
    return before(*arguments)

searching._try_out = slowly
test_search.searched(checkpoint={path!r})
"""


def test_a_search_that_was_killed_goes_on_to_the_same_table(path):
    code = SLOW.format(folder=str(Path(__file__).parent), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", code])
    while not path.exists() or path.read_bytes().count(b'"scores"') < 2:
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with pytest.raises(SettingError, match=r"of a search that has not ended \([2-5] of 6 trials\); pass resume=True"):
        searched(checkpoint=path)
    assert searched(checkpoint=path, resume=True) == searched()


def test_an_interrupted_search_keeps_what_it_has(path, monkeypatch):
    def stop(self, *arguments):
        add(self, *arguments)
        raise KeyboardInterrupt

    from chainrule.selection.record import Record

    add = Record.add
    monkeypatch.setattr(Record, "add", stop)
    with pytest.raises(KeyboardInterrupt):
        searched(checkpoint=path)
    assert path.read_bytes().count(b'"scores"') == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 3}, "folds was 2, is 3"),
        ({"seed": 1}, r"seeds was \[0\], is \[1\]"),
        ({"score": "loss"}, "score was r_squared, is loss"),
        ({"sample_weight": np.ones(40)}, "data was"),
    ],
)
def test_the_checkpoint_of_another_search_is_refused(path, settings, message):
    searched(checkpoint=path)
    with pytest.raises(SettingError, match=message):
        searched(checkpoint=path, resume=True, **settings)


def test_another_network_of_the_same_name_is_another_trial(path):
    searched({"units": [2]}, checkpoint=path)

    def network(units):
        return cr.Network([cr.Linear(units), cr.Tanh(), cr.Linear(1)], loss=cr.SquaredError())

    other = cr.search(network, (X, VALUES), {"units": [2]}, checkpoint=path, resume=True, **QUICK)
    assert other == cr.search(network, (X, VALUES), {"units": [2]}, **QUICK)


def test_a_change_of_any_byte_is_noticed(path):
    found = searched({"units": [2]}, checkpoint=path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ModelFileError, match=r"search\.json: (damaged|expected the checkpoint)"):
            searched({"units": [2]}, checkpoint=path, resume=True)
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            searched({"units": [2]}, checkpoint=path, resume=True)
    path.write_bytes(whole)
    assert searched({"units": [2]}, checkpoint=path, resume=True) == found


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("search"),
        lambda content: content.update(planned="many"),
        lambda content: content.update(trials=[1]),
        lambda content: content["trials"]["a"].pop("settings"),
        lambda content: content["trials"]["a"].update(scores=["1.0", "2.0"]),
        lambda content: content["trials"]["a"].update(scores=[1.0]),
        lambda content: content["trials"]["a"].update(scores=[float("nan"), 1.0]),
        lambda content: content["trials"]["a"].update(failure=3),
    ],
)
def test_a_file_with_the_right_checksum_and_wrong_content_is_refused(path, change):
    from chainrule.selection.record import _first_line

    searched({"units": [2]}, checkpoint=path)
    content = json.loads(path.read_bytes().partition(b"\n")[2])
    content["trials"] = {"a": next(iter(content["trials"].values()))}
    change(content)
    body = json.dumps(content).encode()
    path.write_bytes(_first_line(body) + body)
    with pytest.raises(ModelFileError, match="the checkpoint cannot be read"):
        searched({"units": [2]}, checkpoint=path, resume=True)


def test_another_file_is_not_written_over(path):
    path.write_text("my thesis")
    with pytest.raises(ModelFileError, match="expected the checkpoint of a search, got another file"):
        searched(checkpoint=path)
    assert path.read_text() == "my thesis"


def test_a_file_that_cannot_be_written_is_known_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr("chainrule.selection.searching._try_out", pytest.fail)
    with pytest.raises(OSError, match="nothing was changed"):
        searched(checkpoint=tmp_path / "nowhere" / "search.json")


def test_what_cannot_be_written_down_needs_no_checkpoint(path):
    class Odd(cr.Callback):
        def __init__(self):
            self.secret = slice(3)

    searched({"units": [2]}, callbacks=[Odd()])
    with pytest.raises(SettingError, match=r"callbacks: slice\(None, 3, None\) cannot be written down"):
        searched({"units": [2]}, callbacks=[Odd()], checkpoint=path)


def test_estimators_are_known_again_by_their_parameters(path, monkeypatch):
    from sklearn.linear_model import Ridge

    def fitted(alphas):
        return cr.search(Ridge(), (X, VALUES), {"alpha": alphas}, checkpoint=path, resume=path.exists(), progress=False)

    fitted([0.1, 1.0])
    tried, before = [], Ridge.fit
    monkeypatch.setattr(Ridge, "fit", lambda self, *data: tried.append(self.alpha) or before(self, *data))
    assert len(fitted([0.1, 1.0, 10.0]).trials) == 3
    assert tried == [10.0] * 5


@pytest.mark.parametrize("workers", [None, 2])
def test_a_disk_that_is_full_ends_the_search_and_keeps_what_there_was(path, monkeypatch, workers):
    from chainrule.selection.record import Record

    searched({"units": [2]}, checkpoint=path)
    before = path.read_bytes()

    def full(self, *arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Record, "add", full)
    with pytest.raises(OSError, match="No space left"):
        searched(checkpoint=path, resume=True, workers=workers)
    assert (
        json.loads(path.read_bytes().partition(b"\n")[2])["trials"] == json.loads(before.partition(b"\n")[2])["trials"]
    )


# What is shown

FOUND = Search(
    "accuracy",
    (
        Trial({"learning_rate": 1e-3, "l2": 0.0}, (0.5, 0.7)),
        Trial({"learning_rate": 1e-3, "l2": 1.0}, (0.25, 0.25)),
        Trial({"learning_rate": 1e5, "l2": 0.0}, (0.875, 1.0)),
        Trial(
            {"learning_rate": 1e5, "l2": 1.0}, (), "diverged in fold 1: the learning rate 1e+05 is too high; try 1e+04"
        ),
    ),
)


def test_the_table_has_the_best_first():
    heading, rule, *rows, last_rule, caption = str(FOUND).splitlines()
    assert heading == "learning_rate  l2  mean accuracy  deviation  failed"
    assert rows == [
        "       100000   0         0.9375     0.0884",
        "        0.001   0         0.6000     0.1414",
        "        0.001   1         0.2500     0.0000",
        "       100000   1                            diverged in fold 1: the learning rate 1e+05 is too high",
    ]
    assert rule == last_rule == "─" * len(rows[-1])
    assert caption == "4 trials, 1 of them failed"


def test_the_frame_has_a_row_for_each_trial():
    frame = FOUND.to_frame()
    assert frame.columns.tolist() == ["learning_rate", "l2", "mean", "deviation", "failed"]
    assert frame["mean"].isna().tolist() == [False, False, False, True]


def test_the_progress_says_each_trial(capsys):
    searched({"learning_rate": [0.01, 1e20]}, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("trial 1/2: learning_rate 0.01: R² ")
    assert (
        lines[1] == "trial 2/2: learning_rate 1e+20: diverged in fold 1: the learning rate 1e+20 is too high; try 1e+19"
    )


def test_the_map_says_the_scores_and_crosses_what_failed():
    ax = FOUND.draw(down="l2")
    assert [text.get_text() for text in ax.texts] == ["0.6", "0.938", "0.25"]
    hatched = [patch.get_xy() for patch in ax.patches if patch.get_hatch()]
    framed = [patch.get_xy() for patch in ax.patches if patch.get_label() == "best"]
    assert (hatched, framed) == ([(1, 1)], [(1, 0)])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.001", "100000"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "strength of the L2 penalty")


def test_a_map_of_random_trials_is_made_of_points():
    drawn = Search("loss", tuple(Trial({"a": 10.0**i, "b": float(i)}, (1.0 + i, 2.0)) for i in range(4)))
    ax = drawn.draw("a", "b")
    assert ax.get_xscale(), ax.get_yscale() == ("log", "linear")
    assert ax.collections[0].get_offsets().tolist() == [[1, 0], [10, 1], [100, 2], [1000, 3]]
    (best,) = [line for line in ax.lines if line.get_label() == "best"]
    assert (best.get_xdata().item(), best.get_ydata().item()) == (1, 0)


def test_the_curve_has_the_best_of_each_value_and_marks_what_failed():
    trials = (*FOUND.trials, Trial({"learning_rate": 1e9, "l2": 0.0}, (), "diverged"))
    ax = Search("accuracy", trials).draw()
    assert ax.get_xscale() == "log"
    assert ax.lines[0].get_xydata().tolist() == [[1e-3, 0.6], [1e5, 0.9375]]
    (crosses,) = [line for line in ax.lines if line.get_label() == "not finite"]
    assert crosses.get_xdata().tolist() == [1e9]


@pytest.mark.parametrize("names", [("word",), ("word", "rate"), ("rate", "word")])
@pytest.mark.parametrize("scores", [(0.5, 0.7), ()])
def test_settings_that_are_no_numbers_and_nothing_but_failures_can_be_drawn(names, scores):
    settings = [{"word": word, "rate": rate} for word, rate in (("relu", 0.1), ("tanh", 0.2), ("$x$", 0.2))]
    found = Search("accuracy", tuple(Trial(one, scores, "" if scores else "diverged") for one in settings))
    assert plots.to_png(found.draw(*names), dots_per_inch=30)


def test_a_setting_that_was_not_tried_cannot_be_drawn():
    with pytest.raises(SettingError, match="'units' is none of the settings tried: learning_rate, l2"):
        FOUND.draw("units")
