"""The losses against PyTorch and scikit-learn. What PyTorch finds stands in oracle/losses.json, made beside it."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from sklearn.utils.class_weight import compute_class_weight

import chainrule as cr
from chainrule.losses import Loss
from chainrule.testing import all_losses

ORACLE = json.loads(Path(__file__).with_name("oracle").joinpath("losses.json").read_text())
SCORES, SLOPES = np.array(ORACLE["scores"]), np.array(ORACLE["slopes"])
CASES = ORACLE["cases"]


def the_same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['loss']} on {case['targets']}")
def test_a_loss_and_its_gradient_are_those_of_pytorch(case, backend):
    loss = Loss.from_configuration(case["loss"])
    t = loss.prepare(ORACLE["targets"][case["targets"]], SCORES.shape[1:], "targets")
    with cr.backend(backend):
        the_same(loss.forward(SCORES, t), case["values"])
        the_same(loss.backward(SLOPES, SCORES, t), case["df"])


def test_the_oracle_has_every_loss_but_the_perceptron():
    assert {case["loss"]["class"] for case in CASES} == {cls.__name__ for cls in all_losses("chainrule.")} - {
        "Perceptron"
    }


def test_a_hundred_weighted_steps_end_where_those_of_pytorch_do():
    """nn.CrossEntropyLoss(weight=…) divides by the sum of the weights, and so does the cost here over all samples."""
    given = ORACLE["descent"]
    network = cr.Network([cr.Linear(5), cr.Tanh(), cr.Linear(4)], loss=cr.CrossEntropy(), dtype="float64").build((3,))
    for W, start in zip(network.parameters.values(), given["start"], strict=True):
        W[...] = start
    settings = {"batch_size": None, "optimizer": cr.SGD(given["rate"]), "epochs": len(given["costs"])}
    data = given["x"], ORACLE["targets"]["labels"]
    history = cr.train(network, data, class_weight=ORACLE["weights"], progress=False, **settings)
    the_same(history["loss"], given["costs"])
    for W, end in zip(network.parameters.values(), given["end"], strict=True):
        the_same(W, end)


def scores_and_labels(classes):
    rng = np.random.default_rng(classes)
    return rng.normal(size=(50, classes)), rng.integers(0, max(2, classes), 50), rng.uniform(0, 3, 50)


def test_hinge_losses_are_scikit_learn_s():
    f, labels, _ = scores_and_labels(1)
    binary = cr.Hinge().forward(f, labels[:, None].astype(float))
    the_same(binary.mean(), metrics.hinge_loss(labels, f[:, 0]))
    f, labels, _ = scores_and_labels(4)
    the_same(cr.CrammerSinger().forward(f, labels).mean(), metrics.hinge_loss(labels, f))


def test_weighted_losses_are_the_weighted_averages_of_scikit_learn():
    f, labels, w = scores_and_labels(4)

    def evaluated(loss, targets, scores=f):
        network = cr.Network([cr.Identity()], loss=loss, dtype="float64")
        return network.evaluate(scores, targets, sample_weight=w)["loss"]

    p = np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)
    the_same(evaluated(cr.CrossEntropy(), labels), metrics.log_loss(labels, p, sample_weight=w))
    the_same(evaluated(cr.CrammerSinger(), labels), metrics.hinge_loss(labels, f, sample_weight=w))
    y, t = f[:, :1], f[:, 1]
    the_same(evaluated(cr.SquaredError(), t, y), metrics.mean_squared_error(t, y, sample_weight=w) / 2)
    the_same(evaluated(cr.AbsoluteError(), t, y), metrics.mean_absolute_error(t, y, sample_weight=w))


def test_balanced_class_weights_are_scikit_learn_s():
    labels = np.repeat([0, 1, 2], [5, 30, 15])
    network = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64").build((2,))
    found = network.check_class_weights("balanced", labels, None, "class_weight")
    the_same(found, compute_class_weight("balanced", classes=np.arange(3), y=labels))


def test_poisson_loss_is_half_of_scikit_learn_s_deviance_but_for_a_constant():
    f, counts, _ = scores_and_labels(1)
    one, other, t = f, f[::-1] / 2, counts[:, None].astype(float)
    loss = cr.Poisson()
    ours = loss.forward(one, t).mean() - loss.forward(other, t).mean()
    theirs = [metrics.mean_poisson_deviance(counts, loss.link(scores)[:, 0]) for scores in (one, other)]
    the_same(ours, (theirs[0] - theirs[1]) / 2)
