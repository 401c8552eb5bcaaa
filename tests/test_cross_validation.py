"""Cross-validation: folds, scores, what can be validated, and that no score depends on who works it out."""

import pickle

import numpy as np
import pytest

import chainrule as cr
from chainrule.arrays import Pixels
from chainrule.errors import DataError, DivergenceError, MissingExtraError, SettingError, ShapeError
from chainrule.selection.samples import assign_folds

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).astype(np.float32)
CLASSES = np.arange(60) % 3
VALUES = (X @ [1.0, -2.0, 0.5] + 1).astype(np.float32)
QUICK = {"epochs": 2, "learning_rate": 0.05}


def deciding(units=4):
    return cr.Network([cr.Linear(units), cr.Tanh(), cr.Linear(3)], loss=cr.CrossEntropy())


def line():
    return cr.Network([cr.Linear(1)], loss=cr.SquaredError())


def decided_by_hand(seed, fold, folds=5):
    """The accuracy of one run, with nothing but `train` and `evaluate`."""
    assigned = assign_folds(CLASSES, folds, [seed], decides=True)[0]
    known, unknown = assigned != fold, assigned == fold
    network = cr.Network(deciding().layers, loss=cr.CrossEntropy(), seed=seed)
    cr.train(network, (X[known], CLASSES[known]), epochs=2, optimizer=cr.Adam(0.05), seed=seed, progress=False)
    return network.evaluate(X[unknown], CLASSES[unknown])["accuracy"]


# Folds


def test_every_sample_is_tested_in_just_one_fold_of_each_seed():
    assigned = assign_folds(VALUES, 7, [0, 1], decides=False)
    assert assigned.shape == (2, 60)
    assert [np.bincount(row).tolist() for row in assigned] == [[9, 9, 9, 9, 8, 8, 8]] * 2
    assert not np.array_equal(*assigned)


@pytest.mark.parametrize("form", ["labels", "column", "one-hot"])
def test_every_fold_has_the_same_share_of_each_class(form):
    labels = np.repeat([0, 1, 2], [30, 20, 10])
    y = {"labels": labels, "column": labels[:, None], "one-hot": np.eye(3)[labels]}[form]
    (assigned,) = assign_folds(y, 5, [0], decides=True)
    for fold in range(5):
        assert np.bincount(labels[assigned == fold]).tolist() == [6, 4, 2]


def test_answers_to_many_questions_at_once_are_shared_out_at_random():
    many = RNG.integers(0, 2, (40, 3))
    (assigned,) = assign_folds(many, 4, [0], decides=True)
    assert np.bincount(assigned).tolist() == [10] * 4


@pytest.mark.parametrize(
    ("folds", "error", "message"),
    [
        (1, SettingError, "folds: expected a whole number of at least 2"),
        (61, DataError, "60 samples cannot be shared out among 61 folds"),
        (21, DataError, "class 0 has 20 samples, too few for 21 folds"),
    ],
)
def test_folds_that_cannot_be_are_refused(folds, error, message):
    with pytest.raises(error, match=message):
        cr.cross_validate(deciding(), (X, CLASSES), folds=folds)


# Scores


def test_each_score_is_that_of_a_training_on_the_other_folds():
    found = cr.cross_validate(deciding(), (X, CLASSES), repeats=2, seed=3, **QUICK)
    assert found.seeds == (3, 4)
    assert found.score == "accuracy"
    assert found.scores.tolist() == [[decided_by_hand(seed, fold) for fold in range(5)] for seed in (3, 4)]


def test_mean_and_deviations_are_those_of_a_sample():
    found = cr.selection.CrossValidation("accuracy", (0, 1), np.array([[0.5, 0.7], [0.8, 1.0]]), np.full((2, 2), 9))
    assert found.mean == 0.75
    assert found.deviation == pytest.approx(np.sqrt((0.25**2 + 0.05**2 + 0.05**2 + 0.25**2) / 3), rel=1e-15)
    assert found.over_seeds == pytest.approx(0.3 / np.sqrt(2), rel=1e-15)


def test_with_one_seed_there_is_no_spread_over_seeds():
    assert cr.cross_validate(deciding(), (X, CLASSES), **QUICK).over_seeds is None


def test_values_are_scored_by_r_squared_and_any_network_by_its_loss():
    fitted = cr.cross_validate(line(), (X, VALUES), epochs=200, learning_rate=0.1)
    assert fitted.score == "r_squared"
    assert fitted.scores.min() > 0.999
    lost = cr.cross_validate(line(), (X, VALUES), epochs=200, learning_rate=0.1, score="loss")
    assert lost.scores.max() < 0.001


def share_right(network, x, y):
    return float((network.predict(x).argmax(axis=1) == y).mean())


def test_a_score_may_be_a_function():
    found = cr.cross_validate(deciding(), (X, CLASSES), score=share_right, **QUICK)
    assert found.score == "share_right"
    assert np.array_equal(found.scores, cr.cross_validate(deciding(), (X, CLASSES), **QUICK).scores)


@pytest.mark.parametrize("score", ["accuracy", "f1", 3])
def test_a_score_that_there_is_not_is_refused(score):
    with pytest.raises(SettingError, match="score: expected r_squared, loss, or a function"):
        cr.cross_validate(line(), (X, VALUES), score=score)


def test_a_training_that_diverges_says_in_which_fold():
    with pytest.raises(DivergenceError, match=r"fold 1, seed 0: training stopped at epoch") as found:
        cr.cross_validate(line(), (X, VALUES), optimizer=cr.SGD(1e6), epochs=20)
    assert "too high" in found.value.cause


def nothing(network, x, y):
    return float("nan")


def test_a_score_that_is_not_finite_is_a_divergence():
    with pytest.raises(DivergenceError, match="the score is nan though all weights are finite"):
        cr.cross_validate(line(), (X, VALUES), score=nothing)


def test_weights_of_samples_go_with_their_samples():
    """Two lines, one for each half of the samples; those without weight are not learned."""
    y = np.where(np.arange(60) < 30, VALUES, 100)
    weights = (np.arange(60) < 30).astype(float)
    found = cr.cross_validate(
        line(), (X, y), score="loss", sample_weight=weights, epochs=300, learning_rate=0.1, batch_size=None
    )
    assert found.scores.max() < 0.001


# What can be validated


def same_network():
    return NETWORK


NETWORK = deciding()


def with_settings():
    return deciding(), {"epochs": 2, "optimizer": cr.Adam(0.05)}


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (deciding, QUICK),
        (deciding, {**QUICK, "units": 4}),
        ((deciding(), QUICK), {"epochs": 50}),
        (same_network, QUICK),
        (with_settings, {}),
        (lambda **settings: (deciding(settings["units"]), QUICK), {"units": 4}),
        (deciding().build((3,)), QUICK),
        (deciding(), {"epochs": 2, "optimizer": cr.Adam(0.05), "callbacks": [cr.EarlyStopping("loss")]}),
    ],
    ids=["function", "settings", "pair", "same", "with settings", "any setting", "built", "callbacks"],
)
def test_networks_functions_and_pairs_are_all_understood(model, settings):
    expected = cr.cross_validate(deciding(), (X, CLASSES), **QUICK).scores
    assert np.array_equal(cr.cross_validate(model, (X, CLASSES), **settings).scores, expected)


def test_a_network_that_is_validated_stays_as_it_is():
    network = deciding()
    cr.train(network, (X, CLASSES), progress=False)
    before = {name: W.copy() for name, W in network.parameters.items()}
    cr.cross_validate(network, (X, CLASSES), **QUICK)
    assert all(np.array_equal(W, before[name]) for name, W in network.parameters.items())


def test_what_a_network_has_learned_already_is_no_help():
    learned = line()
    cr.train(learned, (X, VALUES), epochs=300, optimizer=cr.Adam(0.1), progress=False)
    assert learned.evaluate(X, VALUES)["loss"] < 1e-6
    assert cr.cross_validate(learned, (X, VALUES), epochs=1, learning_rate=1e-6, score="loss").mean > 0.1


def taught_line():
    network = line()
    cr.train(network, (X, VALUES), epochs=300, optimizer=cr.Adam(0.1), progress=False)
    return network


def test_a_function_may_give_weights_to_begin_with():
    assert cr.cross_validate(taught_line, (X, VALUES), folds=2, epochs=1, learning_rate=1e-6).mean > 0.999


def test_strengths_make_a_penalty():
    one = cr.cross_validate(line(), (X, VALUES), epochs=2, l1=0.1, l2=0.3).scores
    other = cr.cross_validate(line(), (X, VALUES), epochs=2, penalty=cr.ElasticNet(0.4, 0.25)).scores
    assert np.array_equal(one, other)
    none = cr.cross_validate(line(), (X, VALUES), epochs=2, l2=0).scores
    assert np.array_equal(none, cr.cross_validate(line(), (X, VALUES), epochs=2).scores)


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        (3, {}, "expected a Network, a function that gives one, or an estimator, got 3"),
        (cr.Network, {}, "expected a Network, a function"),
        (lambda: 3, {}, "expected a function that gives a Network, got 3 from it"),
        (deciding, {"unit": 3}, "there is no setting 'unit'; there are units, validation"),
        (deciding, {"resume": True}, "resume is for a single training"),
        (lambda: (deciding(), {"seed": 3}), {}, "seed is for a single training"),
        ((deciding, {"sample_weight": CLASSES}), {}, "sample_weight is for a single training"),
        (deciding, {"l2": 1, "penalty": cr.L1(1)}, "there is a penalty already"),
        (deciding, {"learning_rate": 0.1, "optimizer": "adam"}, "optimizer: expected an Optimizer"),
        (deciding, {"learning_rate": 0}, "learning_rate: expected a number above 0"),
        (deciding, {"seed": -1}, "seed: expected a whole number of at least 0"),
        (deciding, {"seed": 2**32}, "seed: expected seeds up to 4294967295"),
        (deciding, {"repeats": 0}, "repeats"),
        (deciding, {"workers": 0}, "workers: expected a whole number of at least 1"),
        (deciding, {"epochs": 0}, "epochs"),
    ],
)
def test_what_cannot_be_meant_is_refused(model, settings, message):
    with pytest.raises(SettingError, match=message):
        cr.cross_validate(model, (X, CLASSES), **settings)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (X, SettingError, r"data: expected a pair \(x, targets\), got ndarray"),
        ((X, CLASSES[:5]), ShapeError, "expected as many targets as samples"),
        ((X, CLASSES + 1), DataError, "labels must be whole numbers from 0 to 2"),
        ((np.where(X > 2, np.nan, X), CLASSES), DataError, "must be finite"),
    ],
)
def test_data_that_cannot_be_are_refused(data, error, message):
    with pytest.raises(error, match=message):
        cr.cross_validate(deciding(), data)


def test_pixels_stay_bytes():
    images = RNG.integers(0, 256, (60, 4), dtype=np.uint8)
    found = cr.cross_validate(deciding(), (Pixels(images), CLASSES), **QUICK)
    floats = np.divide(images, 255, dtype=np.float32)
    assert np.array_equal(found.scores, cr.cross_validate(deciding(), (floats, CLASSES), **QUICK).scores)


# Estimators


def test_an_estimator_is_scored_on_the_same_folds():
    from sklearn.neighbors import KNeighborsClassifier

    found = cr.cross_validate(KNeighborsClassifier(), (X, CLASSES), n_neighbors=3, repeats=2)
    for row, assigned in enumerate(assign_folds(CLASSES, 5, [0, 1], decides=True)):
        for fold in range(5):
            known = assigned != fold
            model = KNeighborsClassifier(3).fit(X[known], CLASSES[known])
            assert found.scores[row, fold] == model.score(X[~known], CLASSES[~known])


def test_every_random_state_of_an_estimator_is_the_seed():
    from sklearn.dummy import DummyClassifier
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(DummyClassifier(strategy="uniform"))
    one, same = (cr.cross_validate(model, (X, CLASSES), repeats=2) for _ in range(2))
    assert np.array_equal(one.scores, same.scores)
    assert not np.array_equal(*one.scores)


def test_a_data_frame_with_text_goes_to_an_estimator_as_it_is():
    import pandas
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    colours = pandas.DataFrame({"colour": np.array(["red", "green", "blue"])[CLASSES]})
    found = cr.cross_validate(make_pipeline(OneHotEncoder(), Ridge(1e-9)), (colours, pandas.Series(CLASSES * 2.0)))
    assert found.score == "r_squared"
    assert found.scores.min() > 0.999


def test_an_estimator_has_no_loss_and_no_settings_of_train():
    from sklearn.linear_model import Ridge

    with pytest.raises(SettingError, match="score: expected r_squared, or a function"):
        cr.cross_validate(Ridge(), (X, VALUES), score="loss")
    with pytest.raises(SettingError, match="there is no setting 'epochs'; there are alpha"):
        cr.cross_validate(Ridge(), (X, VALUES), epochs=3)


# Many at once


@pytest.mark.parametrize("workers", [2, -1])
def test_no_score_depends_on_the_number_of_workers(workers):
    alone = cr.cross_validate(line(), (X, VALUES), repeats=2, **QUICK)
    beside = cr.cross_validate(line(), (X, VALUES), repeats=2, workers=workers, **QUICK)
    assert alone.scores.tobytes() == beside.scores.tobytes()


def test_an_error_of_a_worker_comes_back_as_it_was():
    with pytest.raises(DivergenceError, match="seed 0: training stopped") as found:
        cr.cross_validate(line(), (X, VALUES), optimizer=cr.SGD(1e6), epochs=20, workers=2)
    assert found.value.layer == "the loss (SquaredError)"


@pytest.mark.parametrize(
    "error",
    [
        DivergenceError("stopped", epoch=1, step=2, layer="layer 0", cause="the rate"),
        MissingExtraError("joblib", "sklearn", "searching"),
        ShapeError("x: expected …"),
    ],
)
def test_errors_can_be_sent_from_one_process_to_another(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


# What is shown

FOUND = cr.selection.CrossValidation("accuracy", (0, 1), np.array([[0.5, 0.75], [1.0, 0.25]]), np.full((2, 2), 4))


def test_the_table_holds_every_score():
    assert str(FOUND).splitlines() == [
        "seed  fold 1  fold 2    mean",
        "────────────────────────────",
        "   0  0.5000  0.7500  0.6250",
        "   1  1.0000  0.2500  0.6250",
        "────────────────────────────",
        "accuracy: mean 0.6250, standard deviation 0.3227; of the means of the seeds 0.0000",
    ]


def test_a_rich_terminal_and_a_notebook_show_it_too():
    from rich.console import Console

    console = Console(width=100)
    with console.capture() as shown:
        console.print(FOUND)
    for text in (shown.get(), FOUND._repr_html_()):
        assert all(word in text for word in ("fold 2", "0.7500", "standard deviation 0.3227"))


def test_the_frame_has_a_row_for_each_run():
    frame = FOUND.to_frame()
    assert frame.columns.tolist() == ["seed", "fold", "tested", "accuracy"]
    assert frame.to_numpy().tolist() == [[0, 1, 4, 0.5], [0, 2, 4, 0.75], [1, 1, 4, 1.0], [1, 2, 4, 0.25]]
