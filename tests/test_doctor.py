"""`diagnose`, the doctor among the callbacks, and the remedies: what users hold in their hands."""

import io

import numpy as np
import pytest

import chainrule as cr
from chainrule.doctor.facts import facts_of
from chainrule.doctor.finding import all_rules
from chainrule.doctor.remedy import change_data, change_settings, fresh
from chainrule.errors import SettingError

RINGS = cr.data.make_rings(300, seed=1)
HELD_OUT = cr.data.make_rings(200, seed=2)
TOO_HIGH = {"optimizer": cr.SGD(60), "epochs": 8}


def network(*layers):
    return cr.Network(layers or [cr.Linear(16, weights=cr.He()), cr.ReLU(), cr.Linear(2)], loss=cr.CrossEntropy())


@pytest.fixture(scope="module")
def examination():
    return cr.diagnose(network(), RINGS, validation=HELD_OUT, **TOO_HIGH)


def test_the_trouble_is_named_shown_and_mended(examination):
    first = examination.findings[0]
    assert first.name == "learning rate too high"
    assert "At a rate of 60 " in first.evidence
    assert first.change == {"learning_rate": pytest.approx(0.2, rel=0.9)}
    trial = examination.try_remedy()
    assert trial.improves
    assert trial.loss_after < 0.6 < 0.69 < trial.loss_before


def test_it_is_said_in_a_few_lines(examination):
    lines = str(examination).splitlines()
    assert lines[0] == "Trouble: learning rate too high"
    assert lines[1].startswith("  Seen: At a rate of 60 the first steps change the weights by ")
    assert lines[2].startswith("  What to do: Lower the learning rate to ")
    assert len(lines) <= 4
    assert repr(examination).startswith("<Examination: learning rate too high")


def test_the_network_and_its_settings_are_as_before(examination):
    given, callbacks = network().build((2,)), [cr.EarlyStopping()]
    before = {name: W.tobytes() for name, W in given.parameters.items()}
    cr.diagnose(given, RINGS, validation=HELD_OUT, callbacks=callbacks, **TOO_HIGH)
    assert {name: W.tobytes() for name, W in given.parameters.items()} == before
    assert len(callbacks) == 1


def test_the_training_examined_is_the_same_training_again():
    settings = {"epochs": 3, "optimizer": cr.Adam(0.01), "seed": 5}
    one = network()
    history = cr.train(one, RINGS, validation=0.2, progress=False, **settings)
    again = cr.diagnose(network(), RINGS, validation=0.2, **settings)
    assert again.history["validation_loss"] == history["validation_loss"]
    assert all(again.network.parameters[name].tobytes() == W.tobytes() for name, W in one.parameters.items())


def test_nothing_wrong_is_a_finding_too():
    found = cr.diagnose(network(), RINGS, validation=HELD_OUT, optimizer=cr.Adam(0.01), epochs=40)
    assert found.findings == ()
    said = f"Nothing wrong was found: none of {len(all_rules())} rules had anything to say. In 40 epochs the loss went"
    assert str(found).startswith(said)
    with pytest.raises(SettingError, match="finding: there are 0"):
        found.try_remedy()


def test_both_curves_are_shown_as_numbers(examination):
    trial = examination.try_remedy(epochs=3)
    assert len(trial.before) == len(trial.after) == 3
    lines = str(trial).splitlines()
    assert lines[0].startswith("Tried against learning rate too high: learning rate ")
    assert [line.split()[0] for line in lines[3:6]] == ["1", "2", "3"]
    assert lines[3].split()[1:] == [f"{h['validation_loss'][0]:.4g}" for h in (trial.before, trial.after)]
    assert lines[-1].endswith("after: better")


def test_both_curves_are_drawn(examination):
    trial = examination.try_remedy(epochs=3)
    ax = trial.plot()
    assert [line.get_ydata().tolist() for line in ax.lines] == [
        trial.before["validation_loss"],
        trial.after["validation_loss"],
    ]
    assert ax.get_ylabel() == "validation loss"


def test_a_training_that_broke_off_has_a_curve_as_far_as_it_came():
    found = cr.diagnose(network(), RINGS, optimizer=cr.SGD(1e30), epochs=3)
    assert found.findings[0].name == "learning rate too high"
    assert found.findings[-1].name == "values not finite"
    trial = found.try_remedy()
    assert (trial.figure, trial.loss_before) == ("loss", np.inf)
    assert trial.improves
    assert "–" in str(trial)


def test_a_history_is_read_as_it_is():
    net = network()
    history = cr.train(
        net, RINGS, validation=HELD_OUT, progress=False, callbacks=[cr.Diagnosis()], epochs=5, optimizer=cr.SGD(60)
    )
    leaking = (np.concatenate([HELD_OUT[0], RINGS[0][:50]]), np.concatenate([HELD_OUT[1], RINGS[1][:50]]))
    assert [f.name for f in cr.diagnose(history, RINGS, validation=leaking).findings] == ["leaked rows"]
    found = cr.diagnose(history, RINGS, network=net, optimizer=cr.SGD(60), epochs=5)
    assert found.history is history
    with pytest.raises(SettingError, match=r"pass network="):
        cr.diagnose(history, RINGS, validation=leaking).try_remedy()


def test_a_history_with_a_penalty_known_names_it():
    net = network()
    settings = {"penalty": cr.L2(500), "epochs": 10, "optimizer": cr.SGD(0.1)}
    history = cr.train(net, RINGS, validation=HELD_OUT, progress=False, **settings)
    found = cr.diagnose(history, RINGS, validation=HELD_OUT, network=net, **settings)
    assert found.findings[0].name == "penalty too strong"
    assert found.try_remedy().improves


def test_a_rate_is_prescribed_from_the_optimizers_own_where_a_schedule_lets_it_fall_to_0():
    found = cr.diagnose(network(), RINGS, schedule=cr.CosineDecay(), **TOO_HIGH)
    assert found.findings[0].name == "learning rate too high"
    assert 0.01 < found.findings[0].change["learning_rate"] < 1
    assert found.try_remedy().improves


def test_what_no_setting_mends_cannot_be_tried():
    x, y = RINGS
    shuffled = y[np.random.default_rng(0).permutation(len(y))]
    found = cr.diagnose(network(), (x, shuffled), epochs=3)
    assert found.findings[0].name == "wrong labels"
    with pytest.raises(SettingError, match="wrong labels: no setting mends this"):
        found.try_remedy()


@pytest.mark.parametrize("patient", ["network.safetensors", cr.Network])
def test_a_patient_that_is_none_is_refused(patient):
    with pytest.raises(SettingError, match="patient: expected a Network or a History"):
        cr.diagnose(patient, RINGS)


def test_the_doctor_speaks_once_while_training_goes_on():
    heard = io.StringIO()
    doctor = cr.Doctor(file=heard)
    cr.train(network(), RINGS, progress=False, callbacks=[doctor], epochs=20, optimizer=cr.SGD(60))
    lines = heard.getvalue().splitlines()
    assert lines[0] == "Doctor, after epoch 5: learning rate too high."
    assert len(lines) == 3
    assert doctor.findings[0].name == "learning rate too high"


def test_the_doctor_changes_no_byte():
    with_doctor, without = network(), network()
    doctor = cr.Doctor(HELD_OUT, file=io.StringIO())
    history = cr.train(with_doctor, RINGS, validation=HELD_OUT, progress=False, callbacks=[doctor])
    plain = cr.train(without, RINGS, validation=HELD_OUT, progress=False)
    assert history["validation_loss"] == plain["validation_loss"]
    assert all(with_doctor.parameters[name].tobytes() == W.tobytes() for name, W in without.parameters.items())


def test_the_doctor_writes_the_figures_of_the_layers_as_diagnosis_does():
    figures = [
        cr.train(network(), RINGS, progress=False, epochs=2, callbacks=[callback]).records
        for callback in (cr.Diagnosis(), cr.Doctor(file=io.StringIO()))
    ]
    named = [{name: r[name] for r in records for name in r if name.startswith("layers.")} for records in figures]
    assert named[0] == named[1]


def test_a_training_that_is_resumed_is_not_judged_by_its_first_weights(tmp_path):
    settings = {"progress": False, "epochs": 2, "checkpoint": tmp_path / "c"}
    doctor = cr.Doctor(file=io.StringIO())
    cr.train(network(), RINGS, callbacks=[doctor], **settings)
    assert "layers.1.dead" in doctor.start
    cr.train(network(), RINGS, callbacks=[doctor], resume=True, **settings)
    assert doctor.start == {}


def test_layers_are_changed_by_their_configuration():
    net = network(cr.Linear(4), cr.Sigmoid(), cr.Linear(4), cr.Sigmoid(), cr.Linear(2), cr.Softmax())
    changed = fresh(net, {"activation": {"Sigmoid": "ReLU"}, "weights": "He", "hidden": 32, "drop_last_layer": True})
    assert [type(layer).__name__ for layer in changed.layers] == ["Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert [layer.out_features for layer in changed.layers[::2]] == [32, 32, 2]
    assert all(isinstance(layer.weights, cr.He) for layer in changed.layers[::2])


def test_the_last_activation_is_left_alone():
    net = cr.Network([cr.Linear(4), cr.Tanh(), cr.Linear(1), cr.Tanh()], loss=cr.SquaredError())
    changed = fresh(net, {"activation": {"Tanh": "ReLU"}})
    assert [type(layer).__name__ for layer in changed.layers] == ["Linear", "ReLU", "Linear", "Tanh"]


def test_a_hidden_layer_is_added_where_there_is_none():
    changed = fresh(network(cr.Linear(2)), {"hidden": 32})
    assert [type(layer).__name__ for layer in changed.layers] == ["Linear", "ReLU", "Linear"]


def test_frozen_parameters_keep_their_values():
    net = network().build((2,)).freeze("layers.0")
    net.parameters["layers.0.W"][...] = 7
    made = fresh(net)
    assert (made.parameters["layers.0.W"] == 7).all()
    assert made.frozen == net.frozen


def test_data_are_changed_as_told():
    x, t = np.arange(12.0).reshape(6, 2), np.arange(6)
    (left, targets), _ = change_data((x, t), None, {"leave_out": [0, 5]})
    assert targets.tolist() == [1, 2, 3, 4]
    assert left.tolist() == x[1:5].tolist()
    (_, rolled), _ = change_data((x, t), None, {"roll_targets": -1})
    assert rolled.tolist() == [1, 2, 3, 4, 5, 0]
    (scaled, _), (held, _) = change_data((x, t), (x + 1, t), {"standardize": True})
    assert scaled.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert held == pytest.approx(scaled + 1 / x.std(axis=0))


def test_settings_are_changed_as_told():
    settings = {"optimizer": cr.Momentum(0.1, 0.8), "penalty": cr.L1(3.0), "batch_size": 4, "sample_weight": [1, 2, 3]}
    changed = change_settings(
        settings, {"learning_rate": 0.5, "penalty": 0.1, "clip": 2.0, "early_stopping": 3, "leave_out": [1]}
    )
    assert changed["optimizer"].configuration() == cr.Momentum(0.5, 0.8).configuration()
    assert changed["penalty"].configuration() == cr.L1(0.1).configuration()
    assert changed["clip"].configuration() == cr.ClipNorm(2.0).configuration()
    assert changed["callbacks"][0].patience == 3
    assert changed["sample_weight"].tolist() == [1, 3]
    assert settings["penalty"].strength == 3.0


def test_facts_find_the_row_that_is_far_off():
    x = np.random.default_rng(0).normal(size=(200, 3))
    x[7, 1] = 1e12
    facts = facts_of(x, np.zeros(200, int), np.zeros(200, int))
    assert facts.far == (7,)
    assert facts.farthest == 1e12
    assert facts.spread.max() < 2


def test_facts_find_rows_that_stand_in_both_parts():
    x = np.random.default_rng(0).normal(size=(100, 3))
    facts = facts_of(x, np.zeros(100, int), np.zeros(100, int), np.concatenate([x[[3, 4, 5]], x[:7] + 1]))
    assert facts.leaked == (3, 4, 5)
    assert facts.leaked_share == pytest.approx(0.3)
    assert facts.repeated == 0


@pytest.mark.parametrize("shift", [1, -1, 2])
def test_facts_find_by_how_many_rows_targets_have_slipped(shift):
    x, y = RINGS
    assert facts_of(x, np.roll(y, -shift), np.roll(y, -shift)).neighbours.shift == shift
    line = np.sin(3 * x[:, :1])
    assert facts_of(x, np.roll(line, -shift, axis=0), None).neighbours.shift == shift


def test_facts_find_labels_that_their_neighbours_contradict():
    x, y = cr.data.make_blobs(300, classes=2, spread=0.1)
    wrong = np.arange(0, 300, 6)
    y = y.copy()
    y[wrong] = 1 - y[wrong]
    near = facts_of(x, y, y).neighbours
    assert len(set(near.doubtful) ^ set(wrong.tolist())) <= 10
    assert near.agreement == pytest.approx(5 / 6, abs=0.03)
    assert near.pure < 0.5


def test_numbers_that_are_names_have_no_neighbours():
    x, y = RINGS
    assert facts_of(x, y, y, measurements=False).neighbours is None
