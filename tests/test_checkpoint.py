"""Checkpoints: a training that is cut off anywhere and resumed ends in the same bytes, or says why it cannot go on."""

import os
import random
import zlib

import numpy as np
import pytest

import chainrule as cr
import kill_and_resume
from chainrule.errors import DataTypeError, ModelFileError, SettingError
from chainrule.network import model_file

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4)).astype(np.float32)
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


class CutOffError(Exception):
    """What ends a training early."""


class CutAfter(cr.Callback):
    def __init__(self, step):
        self.step = step

    def on_step_end(self, run):
        if run.step == self.step:
            raise CutOffError


def network(dtype="float32", rate=0.2):
    layers = [cr.Linear(8), cr.Tanh(), cr.Dropout(rate), cr.Linear(2)]
    return cr.Network(layers, loss=cr.CrossEntropy(), dtype=dtype)


def trained(path=None, *, cut=None, net=None, steps=1, data=(X, LABELS), callbacks=(), **settings):
    """The network and history of a training of 6 epochs of 7 steps, cut off by an error after step `cut`."""
    net = net or network()
    given = {"epochs": 6, "batch_size": 32, "progress": False, **settings}
    if path is not None:
        given = {"checkpoint": cr.Checkpoint(path, steps=steps), **given}
    if cut is None:
        return net, cr.train(net, data, callbacks=callbacks, **given)
    with pytest.raises(CutOffError):
        cr.train(net, data, callbacks=[*callbacks, CutAfter(cut)], **given)
    return net, None


def weights(net):
    return b"".join(W.tobytes() for W in net.parameters.values())


def figures(history):
    """All that does not depend on the clock."""
    return history.stopped, [{k: v for k, v in record.items() if "second" not in k} for record in history.records]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"


# --- the same bytes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [2, 7, 8, 20, 41, 42])
def test_cut_off_after_any_step_it_ends_in_the_same_bytes_and_the_same_history(path, cut):
    whole, history = trained()
    trained(path, cut=cut)
    again, resumed = trained(path, resume=True)
    assert weights(again) == weights(whole)
    assert figures(resumed) == figures(history)


SETTINGS = {
    "schedule": {"schedule": cr.OneCycle()},
    "penalty and clipping": {"penalty": cr.L2(0.01), "clip": cr.ClipNorm(0.1, record=True)},
    "validation": {"validation": 0.2, "class_weight": "balanced"},
    "no shuffle": {"shuffle": False},
    "full batch": {"batch_size": None},
    "three slots": {"optimizer": cr.Nadam(0.01)},
    "no slots": {"optimizer": cr.SGD(0.1)},
    "L-BFGS": {"optimizer": cr.LBFGS(), "batch_size": None},
    "float64": {"net": "float64"},
    "another seed": {"seed": 12345},
}


def test_running_statistics_go_on(path):
    def normalized():
        layers = [cr.Linear(8), cr.BatchNorm(), cr.Tanh(), cr.Residual([cr.BatchNorm(), cr.Linear(8)]), cr.Linear(2)]
        return cr.Network(layers, loss=cr.CrossEntropy())

    def callbacks():
        return [cr.EarlyStopping(patience=50)]

    given = {"validation": 0.3, "optimizer": cr.SGD(0.1)}
    whole, history = trained(net=normalized(), callbacks=callbacks(), **given)
    trained(path, cut=17, net=normalized(), callbacks=callbacks(), **given)
    again, resumed = trained(path, resume=True, net=normalized(), callbacks=callbacks(), **given)
    assert len(whole.state) == 4
    for name, array in whole.arrays.items():
        assert again.arrays[name].tobytes() == array.tobytes()
    assert figures(resumed) == figures(history)


@pytest.mark.parametrize("name", SETTINGS)
def test_with_all_kinds_of_settings(path, name):
    def settings():
        given = dict(SETTINGS[name])
        return given | {"net": network(given["net"])} if "net" in given else given

    whole, history = trained(**settings())
    cut = 4 if settings().get("batch_size", 0) is None else 17
    trained(path, cut=cut, steps=3, **settings())
    again, resumed = trained(path, resume=True, steps=30, **settings())
    assert weights(again) == weights(whole)
    assert figures(resumed) == figures(history)


def test_without_compiled_kernels_too(path):
    with cr.backend("reference"):
        whole, _ = trained()
        trained(path, cut=17)
        again, _ = trained(path, resume=True)
    assert weights(again) == weights(whole)


def test_callbacks_go_on_counting(path):
    def callbacks():
        return [
            cr.ReduceOnPlateau("loss", patience=1, minimum_change=0.05),
            cr.EarlyStopping("validation_accuracy", patience=4),
        ]

    given = {"validation": 0.3, "epochs": 30, "optimizer": cr.Adam(0.1)}
    whole, history = trained(callbacks=callbacks(), **given)
    assert len(history) < 30
    for cut in (9, len(history) * 5 - 1):
        trained(path, cut=cut, callbacks=callbacks(), **given)
        again, resumed = trained(path, callbacks=callbacks(), resume=True, **given)
        assert weights(again) == weights(whole)
        assert figures(resumed) == figures(history)


def test_callbacks_that_remember_nothing_may_come_and_go(path):
    given = {"validation": 0.3, "epochs": 12, "optimizer": cr.Adam(0.1)}
    whole, history = trained(callbacks=[cr.EarlyStopping(patience=3)], **given)
    trained(path, cut=30, callbacks=[cr.Callback(), cr.EarlyStopping(patience=3)], **given)
    again, resumed = trained(path, callbacks=[cr.EarlyStopping(patience=3)], resume=True, **given)
    assert weights(again) == weights(whole)
    assert figures(resumed) == figures(history)


def test_numbers_of_numpy_in_a_state_come_back_as_those_of_python(path):
    class Count(cr.Callback):
        count = np.int64(0)

        def on_step_end(self, run):
            self.count += 1

        def state(self):
            return {"count": self.count, "square": np.float32(0.1), "row": np.arange(3)}

        def restore(self, state):
            self.restored = state
            self.count = state["count"]

    count = Count()
    trained(path, cut=10, callbacks=[Count()])
    trained(path, callbacks=[count], resume=True)
    assert count.count == 42
    assert count.restored["square"] == np.float32(0.1)
    assert count.restored["row"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ({1, 2}, SettingError, r"state: a checkpoint takes numbers, texts, lists and arrays .*got \{1, 2\}"),
        (np.array(["a"]), DataTypeError, "callback 0: seen: expected an array of float32, float64, int64 or uint8"),
        (np.zeros(2, complex), DataTypeError, "got complex128"),
    ],
)
def test_a_state_that_no_file_can_hold_is_refused(path, value, error, message):
    class Wrong(cr.Callback):
        def state(self):
            return {"seen": value}

    with pytest.raises(error, match=message):
        trained(path, callbacks=[Wrong()])
    assert not path.exists()


def test_settings_that_a_callback_has_changed_are_kept(path):
    class Halve(cr.Callback):
        def on_epoch_end(self, run):
            if run.epoch == 2:
                run.optimizer.learning_rate /= 2
                run.network.layers[2].rate = 0.0

    whole, _ = trained(optimizer=cr.SGD(0.5), callbacks=[Halve()])
    trained(path, cut=30, optimizer=cr.SGD(0.5), callbacks=[Halve()])
    again, _ = trained(path, resume=True, optimizer=cr.SGD(0.5), callbacks=[Halve()])
    assert weights(again) == weights(whole)
    assert again.layers[2].rate == 0.0


def test_a_training_that_was_changed_to_go_on_longer_is_the_longer_training(path):
    whole, history = trained(epochs=9)
    trained(path)
    again, resumed = trained(path, epochs=9, resume=True)
    assert weights(again) == weights(whole)
    assert figures(resumed) == figures(history)


def test_one_that_has_ended_is_there_at_once(path):
    whole, history = trained(path)
    again, resumed = trained(path, resume=True)
    assert weights(again) == weights(whole)
    assert resumed.records == history.records


def test_a_checkpoint_changes_nothing_in_the_training(path):
    whole, history = trained()
    kept, same = trained(path)
    assert weights(kept) == weights(whole)
    assert figures(same) == figures(history)


def test_without_a_file_it_begins_at_the_beginning(path):
    assert weights(trained(path, resume=True)[0]) == weights(trained()[0])


def test_the_network_may_be_the_one_that_was_cut_off(path):
    net, _ = trained(path, cut=17)
    again, _ = trained(path, net=net, resume=True)
    assert weights(again) == weights(trained()[0])


@pytest.mark.parametrize("kind", kill_and_resume.KINDS)
def test_killed_three_times_on_its_way_it_ends_in_the_same_bytes(path, kind):
    digest, begun = kill_and_resume.killed_and_resumed(kind, path, 3, random.Random(zlib.crc32(kind.encode())))
    assert digest == kill_and_resume.train(kind)
    assert begun == sorted(begun)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


# --- when it is written -----------------------------------------------------------------------------------------------


class Steps(cr.Callback):
    """Notes which step stands in the file after each step."""

    def __init__(self, path):
        self.path, self.found = path, []

    def on_step_end(self, run):
        if self.path.exists():
            _, tensors = model_file.read_tensors(self.path)
            self.found.append(int(tensors["state"].tobytes().split(b'"step": ')[1].split(b",")[0]))


@pytest.mark.parametrize(
    ("often", "expected"),
    [({"steps": 10}, {10, 20, 30, 40}), ({"epochs": 2}, {14, 28}), ({"seconds": 1000}, set()), ({}, set())],
)
def test_it_is_written_as_often_as_was_said(path, often, expected):
    steps = Steps(path)
    trained(checkpoint=cr.Checkpoint(path, **often), callbacks=[steps])
    assert set(steps.found) - {0} == expected
    assert path.exists()


def test_a_path_alone_will_do(path):
    trained(checkpoint=str(path))
    assert path.exists()


def test_after_a_failed_write_the_one_before_is_intact(path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    trained(path, cut=10)
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="could not write the file"):
        trained(path, resume=True)
    assert path.read_bytes() == before


# --- what is refused --------------------------------------------------------------------------------------------------


OTHERS = {
    "batch_size was 32, is 16": {"batch_size": 16},
    "optimizer was": {"optimizer": cr.Adam(0.5)},
    "schedule was None": {"schedule": cr.CosineDecay()},
    "seed was 0, is 1": {"seed": 1},
    "the training data are not the same": {"data": (X + 1, LABELS)},
    "the training data": {"data": (X, 1 - LABELS)},
    "the validation data are not the same": {"validation": (X, LABELS)},
    "network was": {"net": network(rate=0.5)},
    "dtype was float32, is float64": {"net": network("float64")},
    "callbacks was": {"callbacks": [cr.EarlyStopping("loss")]},
}


@pytest.mark.parametrize("message", OTHERS)
def test_another_training_is_refused_and_changes_nothing(path, message):
    trained(path, cut=10)
    settings = OTHERS[message]
    net = settings.get("net") or network()
    before = weights(net.build((4,)))
    with pytest.raises(SettingError, match=f"the checkpoint is of another training: .*{message}"):
        trained(path, resume=True, **{**settings, "net": net})
    assert weights(net) == before


def test_with_a_schedule_the_number_of_epochs_belongs_to_the_training(path):
    trained(path, cut=10, schedule=cr.CosineDecay())
    with pytest.raises(SettingError, match="epochs was 6, is 7"):
        trained(path, resume=True, epochs=7, schedule=cr.CosineDecay())


def test_fewer_epochs_than_there_were_are_refused(path):
    trained(path)
    with pytest.raises(SettingError, match="epochs: the checkpoint has come to epoch"):
        trained(path, resume=True, epochs=3)


def test_another_backend_is_refused(path):
    trained(path, cut=10)
    with cr.backend("reference"), pytest.raises(SettingError, match="backend was native, is reference"):
        trained(path, resume=True)


def test_an_unfinished_training_is_not_written_over(path):
    trained(path, cut=10)
    before = path.read_bytes()
    with pytest.raises(SettingError, match=r"has not ended \(epoch 2\); pass resume=True"):
        trained(path)
    assert path.read_bytes() == before


def test_a_finished_one_is_written_over(path):
    trained(path)
    assert weights(trained(path, seed=3)[0]) == weights(trained(seed=3)[0])


def test_a_model_is_not_taken_for_a_checkpoint_nor_written_over(path):
    network().build((4,)).save(path)
    for resume in (False, True):
        with pytest.raises(ModelFileError, match="expected a checkpoint, got a model"):
            trained(path, resume=resume)
    cr.load(path)


def test_a_checkpoint_is_not_taken_for_a_model(path):
    trained(path)
    with pytest.raises(ModelFileError, match="a checkpoint, not a model"):
        cr.load(path)


def test_every_changed_byte_and_every_truncation_is_refused(path):
    trained(path, cut=10)
    content = path.read_bytes()
    rng = random.Random(0)
    for at in rng.sample(range(len(content)), 60):
        for damaged in (content[:at], content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises(ModelFileError):
                trained(path, resume=True)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"run": 1}', b"\xff", b"[" * 100_000], ids=range(6))
def test_a_state_that_cannot_be_read_is_refused(path, text):
    model_file.write_tensors(path, {"state": np.frombuffer(text, np.uint8)}, {"checkpoint": 1})
    with pytest.raises(ModelFileError, match="the checkpoint cannot be read"):
        trained(path, resume=True)


def test_a_newer_version_is_refused(path):
    model_file.write_tensors(path, {}, {"checkpoint": 2})
    with pytest.raises(ModelFileError, match="version 2; this program reads version 1"):
        trained(path, resume=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"checkpoint": "a", "seed": None}, "needs a seed"),
        ({"resume": True}, "say from where"),
        ({"checkpoint": 3}, "expected the path of a file, got 3"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        trained(**settings)


@pytest.mark.parametrize("often", [{"seconds": 0}, {"steps": 0}, {"epochs": 1.5}])
def test_impossible_times_are_refused(often):
    with pytest.raises(SettingError, match=f"Checkpoint: {next(iter(often))}"):
        cr.Checkpoint("a", **often)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="a folder"):
        trained(tmp_path)


def test_a_path_that_cannot_be_written_is_known_before_the_first_step(tmp_path):
    net = network().build((4,))
    before = weights(net)
    with pytest.raises(OSError, match="could not write the file"):
        trained(tmp_path / "nowhere" / "run.safetensors", net=net)
    assert weights(net) == before


# --- models on the way ------------------------------------------------------------------------------------------------


def test_the_best_model_is_the_one_that_is_saved(tmp_path):
    path = tmp_path / "best.safetensors"
    _, history = trained(validation=(X[:50], LABELS[:50]), epochs=8, callbacks=[cr.SaveBest(path)])
    assert cr.load(path).evaluate(X[:50], LABELS[:50])["loss"] == min(history["validation_loss"])


def test_a_model_is_saved_every_so_many_epochs(tmp_path):
    net, _ = trained(callbacks=[cr.SaveEvery(tmp_path / "model-{epoch:02}.safetensors", epochs=3)])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model-03.safetensors", "model-06.safetensors"]
    assert weights(cr.load(tmp_path / "model-06.safetensors")) == weights(net)


@pytest.mark.parametrize("path", ["model.safetensors", "{step}", "{epoch", "{}"])
def test_a_path_without_the_epoch_is_refused(path):
    with pytest.raises(SettingError, match="SaveEvery: path"):
        cr.SaveEvery(path)
