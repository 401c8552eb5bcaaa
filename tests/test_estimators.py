"""What the estimators do beyond what scikit-learn's own checks ask."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

import pandas
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import chainrule as cr
from chainrule.data import Standardizer
from chainrule.errors import ChainruleError, DataError, DataTypeError, MissingExtraError, SettingError, ShapeError
from chainrule.estimators import AutoencoderTransformer, NetworkClassifier, NetworkRegressor, PolynomialRegressor
from chainrule.tabular import TabularPreprocessor

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
IMAGES = np.random.default_rng(0).normal(size=(24, 1, 6, 6))
BRIGHT = (IMAGES[:, 0, :3].mean(axis=(1, 2)) > 0).astype(int)


def classifier(*layers, **settings):
    return NetworkClassifier(layers or (8,), **{"random_state": 0, "epochs": 5, **settings})


def regressor(**settings):
    return NetworkRegressor((8,), **{"random_state": 0, "epochs": 5, **settings})


def settings(**named):
    return named


def same_weights(one, other):
    return all(W.tobytes() == other.network_.arrays[name].tobytes() for name, W in one.network_.arrays.items())


# The training


def test_it_is_the_training_of_train():
    fitted = classifier().fit(X, Y)
    network = cr.Network([cr.Linear(8), cr.ELU(), cr.Linear(3)], cr.CrossEntropy(0.1), seed=0, dtype="float64")
    optimizer = cr.Adam(fitted.learning_rate)
    history = cr.train(
        network,
        (Standardizer.fit(X).apply(X), Y),
        epochs=5,
        batch_size=64,
        optimizer=optimizer,
        seed=0,
        progress=False,
    )
    assert fitted.loss_curve_ == history["loss"]
    assert all(W.tobytes() == fitted.network_.arrays[name].tobytes() for name, W in network.arrays.items())


def test_it_trains_by_tape(recorded):
    classifier().fit(X, Y)
    assert recorded == [True]


def test_the_history_has_an_entry_per_epoch():
    fitted = classifier(validation_fraction=0.2).fit(X, Y)
    curves = fitted.loss_curve_, fitted.validation_loss_curve_, fitted.validation_scores_, fitted.history_["accuracy"]
    assert [len(curve) for curve in curves] == [5] * 4
    assert fitted.n_iter_ == 5


def test_without_validation_its_curves_are_none():
    fitted = classifier().fit(X, Y)
    assert (fitted.validation_loss_curve_, fitted.validation_scores_) == (None, None)


def test_pieces_of_all_the_data_are_epochs_and_the_optimizer_remembers():
    whole = classifier(batch_size=None, epochs=4).fit(X, Y)
    pieces = classifier(batch_size=None)
    for _ in range(4):
        pieces.partial_fit(X, Y, classes=[0, 1, 2])
    assert same_weights(whole, pieces)
    assert pieces.loss_curve_ == whole.loss_curve_
    assert pieces.n_iter_ == 4


def test_a_warm_start_goes_on():
    fitted = classifier(warm_start=True).fit(X, Y)
    before = fitted.loss_curve_[-1]
    fitted.fit(X, Y)
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 10
    assert fitted.loss_curve_[-1] < before
    assert fitted.history_["epoch"] == list(range(1, 11))


def test_a_second_fit_begins_anew():
    fitted = classifier().fit(X, Y)
    assert same_weights(clone(fitted).fit(X, Y), fitted.fit(X, Y))


def test_early_stopping_goes_by_the_metric_of_the_user():
    def certainty(estimator, samples, labels):
        asked.append(samples.shape)
        return estimator.predict_proba(samples).max(axis=1).mean()

    asked = []
    fitted = classifier(epochs=8, early_stopping=True, scoring=certainty, validation_fraction=0.2).fit(X, Y)
    assert asked == [(30, 4)] * 8
    assert fitted.history_["validation_score"] == fitted.validation_scores_
    assert fitted.validation_scores_[-1] > fitted.validation_scores_[0]


def test_early_stopping_stops_and_keeps_the_best_weights():
    scores = iter([0.1, 0.3, 0.2, 0.2, 0.2, 0.2])
    stopped = classifier(epochs=9, early_stopping=True, n_iter_no_change=3, scoring=lambda *_: next(scores)).fit(X, Y)
    assert stopped.n_iter_ == 5
    assert "validation_score has not improved for 3 epochs; best at epoch 2" in stopped.history_.stopped
    shorter = classifier(epochs=2, validation_fraction=0.1).fit(X, Y)
    assert same_weights(stopped, shorter)


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "neg_log_loss"])
def test_scorers_have_names(scoring):
    frame = pandas.DataFrame(X, columns=list("abcd"))
    fitted = classifier(early_stopping=True, scoring=scoring).fit(frame, NAMES)
    assert len(fitted.validation_scores_) == 5


def test_validation_samples_are_of_every_class():
    fitted = classifier(validation_fraction=3, epochs=1).fit(X, Y)
    assert fitted.validation_scores_[0] in (0, 1 / 3, 2 / 3, 1)


def test_settings_may_be_names_objects_or_numbers():
    names = settings(optimizer="momentum", learning_rate=0.05, schedule="one_cycle", penalty="elastic_net", alpha=0.1)
    objects = settings(
        optimizer=cr.Momentum(0.05),
        schedule=cr.OneCycle(),
        penalty=cr.ElasticNet(0.1, per="sample"),
        loss=cr.CrossEntropy(0.1),
    )
    more = settings(clip=1.0, average=0.9, activation="leaky_relu", dropout=0.1)
    same = settings(clip=cr.ClipNorm(1.0), average=0.9, activation=cr.LeakyReLU(), dropout=0.1)
    assert same_weights(classifier(**names, **more).fit(X, Y), classifier(**objects, **same).fit(X, Y))


def test_callbacks_and_checkpoints_are_those_of_train(tmp_path):
    class Epochs(cr.Callback):
        def on_epoch_end(self, run):
            seen.append(run.epoch)

    seen = []
    path = tmp_path / "fit.safetensors"
    first = classifier(callbacks=[Epochs()], checkpoint=path).fit(X, Y)
    assert seen == [1, 2, 3, 4, 5]
    assert same_weights(classifier(checkpoint=path, resume=True).fit(X, Y), first)


def test_verbose_prints_the_epochs(capsys):
    classifier(verbose=True).fit(X, Y)
    assert capsys.readouterr().err.count("epoch ") == 5


def test_no_random_state_leaves_the_global_one_alone():
    before = np.random.get_state()[1].copy()
    assert not same_weights(*(classifier(random_state=None).fit(X, Y) for _ in range(2)))
    assert (np.random.get_state()[1] == before).all()


def test_a_random_state_is_drawn_from():
    one, other = (classifier(random_state=np.random.RandomState(3)).fit(X, Y) for _ in range(2))
    assert same_weights(one, other)


# Layers


def test_layers_are_copied_so_that_an_object_serves_many_fits():
    layers = [cr.Linear(8), cr.Tanh()]
    fitted = classifier(*layers)
    assert same_weights(clone(fitted).fit(X, Y), fitted.fit(X, Y))
    assert not hasattr(layers[0], "W")
    assert fitted.layers == tuple(layers)


def test_sizes_and_layers_may_be_mixed():
    fitted = classifier(cr.Linear(5), cr.Sigmoid(), 4, dropout=0.5, activation="logistic").fit(X, Y)
    kinds = [type(layer).__name__ for layer in fitted.network_.layers]
    assert kinds == ["Linear", "Sigmoid", "Linear", "Sigmoid", "Dropout", "Linear"]


def test_no_layers_are_a_linear_model_and_a_number_is_one_layer():
    assert len(NetworkClassifier((), epochs=1).fit(X, Y).network_.layers) == 1
    assert len(NetworkClassifier(7, epochs=1).fit(X, Y).network_.layers) == 3


CONVOLUTIONS = (cr.Conv2D(3, 3), cr.ReLU(), cr.MaxPool2D(2), cr.Flatten())


def test_images_come_as_they_are_or_as_rows_with_a_shape():
    whole = classifier(*CONVOLUTIONS).fit(IMAGES, BRIGHT)
    rows = classifier(*CONVOLUTIONS, image_shape=(1, 6, 6)).fit(IMAGES.reshape(24, 36), BRIGHT)
    assert same_weights(whole, rows)
    assert (whole.predict_proba(IMAGES) == rows.predict_proba(IMAGES.reshape(24, 36))).all()


def test_images_are_standardised_as_a_whole():
    fitted = classifier(*CONVOLUTIONS).fit(IMAGES, BRIGHT)
    assert fitted._standardizer.mean == pytest.approx(IMAGES.mean(), abs=1e-15)
    assert fitted._standardizer.deviation == pytest.approx(IMAGES.std(), abs=1e-15)


def test_words_are_not_standardised():
    words = np.random.default_rng(0).integers(0, 9, (20, 5))
    fitted = classifier(cr.Embedding(9, 4), cr.Flatten()).fit(words, words[:, 0] > 4)
    assert fitted._standardizer is None


@pytest.mark.parametrize(("dtype", "given", "expected"), [
    ("auto", np.float64, "float64"),
    ("auto", np.float32, "float32"),
    ("auto", np.int64, "float64"),
    ("auto", np.float16, "float64"),
    ("float32", np.float64, "float32"),
])  # fmt: skip
def test_the_arithmetic_is_that_of_the_samples_unless_asked(dtype, given, expected):
    fitted = classifier(dtype=dtype).fit(X.astype(given), Y)
    assert fitted.network_.dtype == fitted.predict_proba(X.astype(given)).dtype == expected


# Classes


@pytest.mark.parametrize(
    "labels", [NAMES, NAMES.tolist(), NAMES.astype(object), Y + 0.0, Y - 1, Y == 2, pandas.Series(NAMES)]
)
def test_labels_may_be_of_any_kind(labels):
    fitted = classifier(epochs=40).fit(X, labels)
    assert (fitted.classes_ == np.unique(labels)).all()
    assert fitted.score(X, labels) > 0.9
    assert fitted.predict_proba(X).sum(axis=1) == pytest.approx(1, abs=1e-12)


def test_one_column_of_labels_is_read_with_scikit_learns_warning():
    with pytest.warns(DataConversionWarning):
        fitted = classifier().fit(X, Y[:, None])
    assert fitted.predict(X).shape == (150,)


@pytest.mark.parametrize("form", [np.asarray, csr_array, pandas.DataFrame])
def test_several_questions_are_answered_with_yes_or_no(form):
    answers = np.column_stack([X[:, 0] > 6, X[:, 2] > 3, X[:, 3] > 1]).astype(int)
    fitted = classifier(epochs=40).fit(X, form(answers))
    p = fitted.predict_proba(X)
    assert p.shape == fitted.decision_function(X).shape == (150, 3)
    assert (fitted.predict(X) == (p > 0.5)).all()
    assert (fitted.predict(X) == answers).mean() > 0.95
    fitted.partial_fit(X, form(answers))


def test_labels_of_several_columns_are_refused():
    with pytest.raises(DataError, match="make a classifier for each column"):
        classifier().fit(X, np.column_stack([Y, Y]))


def test_weights_of_classes_go_by_label():
    weighted = classifier(class_weight={"setosa": 5, "virginica": 2}, standardize=False).fit(X, NAMES)
    by_sample = classifier(standardize=False).fit(X, NAMES, sample_weight=np.array([5, 1, 2])[Y])
    assert weighted.loss_curve_ == pytest.approx(by_sample.loss_curve_, rel=1e-12)


def test_balanced_classes_count_alike():
    few = np.r_[0:50, 50:60]
    balanced = classifier(class_weight="balanced", standardize=False).fit(X[few], NAMES[few])
    by_sample = classifier(standardize=False).fit(X[few], NAMES[few], sample_weight=np.array([1, 5])[Y[few]])
    assert balanced.loss_curve_ == pytest.approx(by_sample.loss_curve_, rel=1e-12)


def test_weight_0_is_as_if_the_sample_were_not_there():
    counts = np.arange(150) % 3 > 0
    assert same_weights(classifier().fit(X, Y, sample_weight=counts), classifier().fit(X[counts], Y[counts]))


def test_margins_have_no_probabilities():
    machine = classifier(loss="hinge", alpha=0.1, epochs=100).fit(X, NAMES)
    assert machine.score(X, NAMES) > 0.9  # each class against all others
    assert not hasattr(machine, "predict_proba")
    two = clone(machine).fit(X[:100], NAMES[:100])
    assert two.decision_function(X).shape == (150,)
    assert two.network_.output_shape == (1,)
    assert not hasattr(classifier(loss="hindge"), "predict_proba")


def test_one_score_serves_two_classes():
    fitted = classifier(loss="binary_cross_entropy").fit(X[:100], NAMES[:100])
    p = fitted.predict_proba(X)
    assert p.sum(axis=1) == pytest.approx(1, abs=1e-15)
    assert ((p[:, 1] > 0.5) == (fitted.predict(X) == "versicolor")).all()
    assert np.exp(fitted.predict_log_proba(X)) == pytest.approx(p, abs=1e-12)


# Numbers


def test_targets_keep_their_form_and_units():
    y = 1000 + 50 * X[:, 2]
    one, column, several = (regressor(epochs=100).fit(X, t) for t in (y, y[:, None], np.column_stack([y, -y])))
    assert one.predict(X).shape == (150,)
    assert (column.predict(X)[:, 0] == one.predict(X)).all()
    assert several.predict(X).shape == (150, 2)
    assert min(one.score(X, y), several.score(X, np.column_stack([y, -y]))) > 0.95
    assert one.predict(X).mean() == pytest.approx(y.mean(), rel=0.01)


def test_counts_are_predicted_by_their_rate():
    counts = np.random.default_rng(0).poisson(np.exp(X[:, 3]))
    fitted = regressor(loss="poisson", epochs=100).fit(X, counts)
    assert (fitted.predict(X) > 0).all()
    assert fitted.predict(X).mean() == pytest.approx(counts.mean(), rel=0.1)


def test_a_parabola_is_found_by_descent():
    x = np.linspace(-1, 3, 40)[:, None]
    found = PolynomialRegressor(degree=2).fit(x, 2 * x[:, 0] ** 2 - x[:, 0] + 0.5)
    assert found.terms_.tolist() == ["x0", "x0^2"]
    assert found.coef_ == pytest.approx([-1, 2], abs=1e-6)
    assert found.intercept_ == pytest.approx(0.5, abs=1e-6)


def test_products_of_features_are_terms_with_names():
    frame = pandas.DataFrame({"a": [0.0, 1, 2, 1, 3, 5], "b": [1.0, 0, 2, 3, 1, 2]})
    y = np.column_stack([frame.a * frame.b, frame.b**2])
    found = PolynomialRegressor(epochs=50_000).fit(frame, y)
    assert found.terms_.tolist() == ["a", "b", "a^2", "a b", "b^2"]
    assert found.coef_ == pytest.approx(np.array([[0, 0, 0, 1, 0], [0, 0, 0, 0, 1.0]]), abs=1e-3)


def test_a_rate_of_the_users_own_is_taken():
    x = np.linspace(0, 1, 20)[:, None]
    with pytest.raises(cr.errors.DivergenceError, match="learning rate"):
        PolynomialRegressor(learning_rate=100.0).fit(x, x[:, 0])


# Codes


def test_codes_go_there_and_back():
    codes = AutoencoderTransformer(3, (16,), epochs=200, learning_rate=0.01, random_state=0).fit(X)
    back = codes.inverse_transform(codes.transform(X))
    assert codes.score(X) > 0.97
    assert np.abs(back - X).mean() < 0.15
    assert back.shape == X.shape


def test_codes_have_names_in_a_frame():
    codes = AutoencoderTransformer(2, epochs=1).set_output(transform="pandas").fit_transform(pandas.DataFrame(X))
    assert list(codes.columns) == ["autoencodertransformer0", "autoencodertransformer1"]


def test_images_are_encoded_by_layers_and_decoded_by_others():
    there = [cr.Conv2D(2, 3), cr.ReLU(), cr.Flatten()]
    back = [32, cr.Reshape((2, 4, 4)), cr.ConvTranspose2D(1, 3)]
    whole = AutoencoderTransformer(4, there, decoder=back, epochs=2, random_state=0).fit(IMAGES)
    assert whole.transform(IMAGES).shape == (24, 4)
    assert whole.inverse_transform(whole.transform(IMAGES)).shape == IMAGES.shape
    rows = AutoencoderTransformer(4, (8,), image_shape=(1, 6, 6), epochs=2).fit(IMAGES.reshape(24, 36))
    assert rows.inverse_transform(rows.transform(IMAGES.reshape(24, 36))).shape == (24, 36)


def test_layers_without_a_decoder_are_refused():
    with pytest.raises(SettingError, match="give the decoder's, too"):
        AutoencoderTransformer(2, [cr.Linear(3)]).fit(X)


# In scikit-learn


def test_a_pipeline_is_searched():
    pipeline = make_pipeline(StandardScaler(), classifier())
    grid = {"networkclassifier__layers": [(4,), (8,)], "networkclassifier__optimizer": ["adam", cr.SGD(0.1)]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, NAMES)
    assert len(search.cv_results_["mean_test_score"]) == 4
    assert search.best_estimator_.predict(X).shape == (150,)


def test_names_of_features_are_kept():
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    fitted = classifier().fit(frame, NAMES)
    assert fitted.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame[["b", "a", "c", "d"]])


@pytest.mark.parametrize(
    "estimator",
    [
        classifier(),
        classifier(cr.Linear(4), cr.ReLU()),
        regressor(),
        AutoencoderTransformer(epochs=2),
        PolynomialRegressor(epochs=2),
    ],
)
def test_pickles_answer_alike(estimator):
    estimator = clone(estimator).fit(X, Y)
    again = pickle.loads(pickle.dumps(estimator))
    ask = "transform" if hasattr(estimator, "transform") else "predict"
    assert getattr(again, ask)(X).tobytes() == getattr(estimator, ask)(X).tobytes()
    again.partial_fit(X, Y)


def test_a_notebook_shows_the_parameters_and_the_network():
    shown = classifier().fit(X, Y)._repr_mimebundle_()["text/html"]
    assert "NetworkClassifier" in shown
    assert "67 parameters" in shown  # 4·8 + 8 + 8·3 + 3
    assert classifier()._repr_html_().count("67 parameters") == 0


def test_processes_score_like_one():
    alone, together = (cross_val_score(classifier(), X, NAMES, cv=4, n_jobs=jobs) for jobs in (1, 2))
    assert alone.tolist() == together.tolist()


AFTER_FORK = """
import os
from sklearn.datasets import load_digits
from chainrule.estimators import NetworkClassifier
x, y = load_digits(return_X_y=True)
parent = NetworkClassifier(random_state=0, epochs=3).fit(x, y)
child = os.fork()
if child == 0:
    again = NetworkClassifier(random_state=0, epochs=3).fit(x, y)
    os._exit(0 if again.loss_curve_ == parent.loss_curve_ else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_it_fits_in_a_child_after_a_fork():
    done = subprocess.run([sys.executable, "-c", AFTER_FORK], capture_output=True, text=True, timeout=120)
    assert done.stdout == "0\n", done.stderr


# What is refused


@pytest.mark.parametrize(("x", "y", "kind", "message"), [
    (X[:0], Y[:0], ValueError, "0 sample"),
    (X[:50], Y[:50], DataError, "expected at least 2 classes, got 1 class"),
    (np.ma.masked_array(X, X > 7), Y, DataTypeError, "masked"),
    (X, np.ma.masked_array(Y, Y > 1), DataTypeError, "masked"),
    (X + 1j, Y, ValueError, "Complex data"),
    (csr_array(X), Y, TypeError, "[Ss]parse"),
    (np.where(X > 7, np.nan, X), Y, ValueError, "contains NaN"),
    (np.array([["a"], ["b"]] * 75), Y, ValueError, "could not convert"),
    (X, X[:, 0], ValueError, "Unknown label type"),
    (X, Y[:9], ValueError, "inconsistent numbers of samples"),
    (X * 1e300, Y, DataError, "so large"),
    (IMAGES, BRIGHT, ShapeError, "Flatten"),
])  # fmt: skip
def test_data_that_cannot_be_learned_is_refused(x, y, kind, message):
    with pytest.raises(kind, match=message):
        classifier().fit(x, y)


def test_one_row_and_a_constant_column_are_learned():
    assert regressor().fit(X[:1], [7.0]).predict(X[:1]) == pytest.approx([7.0], abs=1e-6)
    flat = np.column_stack([X, np.full(150, 3.0)])
    assert classifier(epochs=40).fit(flat, Y).score(flat, Y) > 0.9


@pytest.mark.parametrize(("settings", "message"), [
    ({"optimizer": "adams"}, "a part of the kind Optimizer, got 'adams'; known are adadelta"),
    ({"activation": "linear"}, "activation: Linear needs settings"),
    ({"loss": 3}, "loss: expected the name of one"),
    ({"layers": "100"}, "layers: expected sizes such as"),
    ({"layers": (0,)}, "layers: expected a whole number of at least 1"),
    ({"epochs": 0}, "epochs: expected a whole number"),
    ({"batch_size": 0.5}, "batch_size"),
    ({"dropout": 1}, "dropout"),
    ({"alpha": -1}, "alpha"),
    ({"image_shape": (3, 3)}, "takes 9 numbers, a sample of X has 4"),
    ({"image_shape": 4}, "image_shape: expected a shape"),
    ({"dtype": "float16"}, "dtype: expected one of float32, float64"),
    ({"class_weight": {7: 1}}, "class_weight: 7 is not one of the classes"),
    ({"penalty": "l3"}, "penalty"),
    ({"schedule": "cosine"}, "schedule"),
    ({"scoring": "accuracy"}, "scoring: no samples are held back"),
])  # fmt: skip
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ChainruleError, match=message):
        classifier().set_params(**settings).fit(X, Y)


@pytest.mark.parametrize(("settings", "labels", "message"), [
    ({}, {"classes": None}, "classes: the first call"),
    ({"early_stopping": True}, {"classes": [0, 1, 2]}, "early_stopping"),
    ({"optimizer": "lbfgs"}, {"classes": [0, 1, 2]}, "LBFGS"),
    ({"class_weight": "balanced"}, {"classes": [0, 1, 2]}, "balanced"),
    ({}, {"classes": [0, 1]}, "expected the classes"),
])  # fmt: skip
def test_pieces_that_cannot_be_learned_are_refused(settings, labels, message):
    with pytest.raises(ChainruleError, match=message):
        classifier(**settings).partial_fit(X, Y, **labels)


def test_later_pieces_are_as_the_first():
    fitted = classifier().partial_fit(X[:50], Y[:50], classes=[0, 1, 2])  # a single class of three
    fitted.partial_fit(X, Y)
    with pytest.raises(DataError, match=r"y: expected the classes \[0 1 2\], got \[1 2 3\]"):
        fitted.partial_fit(X, Y + 1)
    with pytest.raises(DataError, match=r"classes: expected \[0 1 2\] as before, got \[0 1 2 3\]"):
        fitted.partial_fit(X, Y, classes=np.arange(4))
    with pytest.raises(ShapeError, match="expected 1 numbers"):
        regressor().partial_fit(X, Y).partial_fit(X, np.column_stack([Y, Y]))


def test_nothing_is_predicted_before_fit():
    with pytest.raises(NotFittedError):
        classifier().predict(X)
    with pytest.raises(NotFittedError):
        AutoencoderTransformer().inverse_transform(X)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "chainrule.estimators")
    monkeypatch.delattr(cr, "estimators")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"chainrule\[sklearn\]"):
        _ = cr.estimators


# scikit-learn's callbacks


def test_callbacks_of_scikit_learn_hear_of_every_epoch():
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    fitted = classifier().set_callbacks(monitor).fit(pandas.DataFrame(X), NAMES)
    scores = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(scores) == 5
    assert scores[-1] == fitted.score(pandas.DataFrame(X), NAMES)


def test_a_callback_of_scikit_learn_may_stop():
    pytest.importorskip("sklearn.callback")

    class Impatient:
        def setup(self, estimator, context):
            heard.append("setup")

        def on_fit_task_begin(self, estimator, context):
            heard.append(f"{context.task_name} begins")

        def on_fit_task_end(self, estimator, context):
            heard.append(f"{context.task_name} ends")
            return len(heard) > 5

        def teardown(self, estimator, context):
            heard.append("teardown")

    heard = []
    fitted = classifier().set_callbacks(Impatient()).fit(X, Y)
    epochs = ["epoch begins", "epoch ends"] * 2
    assert heard == ["setup", "fit begins", *epochs, "fit ends", "teardown"]
    assert fitted.n_iter_ == 2


def test_a_search_hands_its_callbacks_down():
    pytest.importorskip("sklearn.callback")

    class Listener:
        max_propagation_depth = None

        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            heard.append((context.estimator_name, context.task_name))

        def teardown(self, estimator, context):
            pass

    heard = []
    GridSearchCV(classifier(epochs=2), {"layers": [(4,), (8,)]}, cv=2).set_callbacks(Listener()).fit(X, Y)
    assert heard.count(("NetworkClassifier", "epoch")) == (2 * 2 + 1) * 2


# A network of its own


def test_the_network_of_its_own_takes_the_samples_as_they_are(tmp_path):
    for fitted, x in ((classifier().fit(X, NAMES), X), (classifier(*CONVOLUTIONS).fit(IMAGES, BRIGHT), IMAGES)):
        network = fitted.to_network(dtype="float64")
        assert network.predict(x) == pytest.approx(fitted.predict_proba(x), abs=1e-12)
        network.save(tmp_path / "model.safetensors")
        assert (cr.load(tmp_path / "model.safetensors").predict(x) == network.predict(x)).all()


@pytest.mark.parametrize("y", [1000 + 50 * X[:, 2], X[:, 2:] * [1, 100]])
def test_the_network_of_its_own_answers_in_the_units_of_the_targets(y):
    fitted = regressor().fit(X, y)
    expected = fitted.predict(X).reshape(150, -1)
    assert fitted.to_network("float64").predict(X) == pytest.approx(expected, rel=1e-12)
    assert fitted.to_network().predict(X) == pytest.approx(expected, rel=1e-5)
    assert regressor(standardize=False, standardize_targets=False).fit(X, y).to_network().metadata == {}


def test_the_network_of_its_own_knows_the_columns_and_classes():
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    fitted = classifier().fit(frame, NAMES)
    network = fitted.to_network()
    preprocessor = TabularPreprocessor.from_dict(network.metadata["preprocessing"])
    mixed = frame[["d", "a", "c", "b"]]
    assert network.predict(preprocessor.transform(mixed)) == pytest.approx(fitted.predict_proba(frame), abs=1e-6)
    assert network.metadata["class_names"] == ["setosa", "versicolor", "virginica"]
