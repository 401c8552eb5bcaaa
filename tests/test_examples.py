"""Every file of examples/ runs by itself, says what it should, and draws what it says it draws."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from chainrule.data.mnist import PARTS, find

FOLDER = Path(__file__).parents[1] / "examples"
FILES = sorted(FOLDER.glob("*.py"))
DRAWINGS = {"a4_activations", "b5_gradient_descent", "b6_overfitting", "d12_facial_expressions",
            "d13_autoencoders", "d16_watch_the_cost", "d6_xor_and_donut", "e1_polynomial_regression",
            "e5_update_sooner", "d8_choosing_settings"}  # fmt: skip
NO_MNIST = any(find(part) is None for part in PARTS)

TINY = r"(0e\+00|\de-1\d)"  # a difference that is rounding alone

# Regular expressions that the output of each example must match, in this order.
EXPECTED = {
    "a1_a2_ticket_decision": [r"1 +1 +1 +10 +go +go", r"1 +1 +0 +7 +- +go", r"0 +1 +1 +9 +go +go", "the same"],
    "a3_perceptron_rule": ["threshold 9: .*8 of 8", "threshold 7: .*8 of 8", "no straight line separates"],
    "a4_activations": [r"step +\[0. 1. 1.\]", r"plus +\[0.1269 0.6931 2.1269\]", r"moid +\[0.1192 0.5 +0.8808\]"],
    "b1_mnist": [r"\(60000, 784\)", "5923 6742 5958 6131 5842 5421 5918 6265 5851 5949", r"\(10000, 784\)", "a 5:"],
    "b2_forward_pass": ["11,775", "160", f"difference {TINY}"],
    "b3_descent_rules": [f"difference {TINY}", "full batch", "144", "1437"],
    "b4_gradients_by_hand": [f"11,760 derivatives.*difference {TINY}", f"10 derivatives.*difference {TINY}"],
    "b5_gradient_descent": ["0.480000", r"slope along −∇C: -9\.848858", r"cost 14\.750 → 0\.000"],
    "b6_overfitting": ["overfitted", "has not improved for 10 epochs", "1,437 digits"],
    "c1_softmax_signs": [r"p − t +\[ 0\.0854 +0\.2321 -0\.3692 +0\.0518\]", r"gradient \[ 0\.0854 +0\.2321 -0\.3692"],
    "c2_likelihood": ["0.000202", "8.505955", "8.505955", "1.417659", "1.417659"],
    "d1_train_and_predict": [r"digits: +9\d\.\d%", "parabola", r"exclusive or: (100|99)\.\d%"],
    "d2_feed_forward": [r"0\.731, 0\.731 +p = 0\.812"] * 2 + [r"0\.731, 0\.731 +P = 0\.812", r"library +p = 0\.812"],
    "d3_sigmoid_is_softmax": [f"1000 .* {TINY} "],
    "d4_coin_and_die": [r"p = 0\.700$", r"p = 0\.700000", r"p = 0\.700000", r"\[0\.1667 0\.0833 0\.1667 0\.0833"],
    "d5_backpropagation": [f"1 layers.* {TINY}", f"6 layers, 4-5-6-7-6-5-3 .* {TINY}"],
    "d6_xor_and_donut": [r"xor, logistic regression: [3-7]\d\.", "network: (99|100)", "rings, logistic", "(99|100)"],
    "d7_hidden_units": [r"0\.1966 0\.235 +0\.105", r"Sigmoid +test accuracy 9\d", r"Tanh .*9\d", r"ReLU .*9\d"],
    "d8_choosing_settings": ["33 trials", "12 trials", "corrected resampled", r"accuracy of the winner: 9\d"],
    "d10_other_frameworks": [r"nn.Linear\(64, 15\)", f"360 answers, .* {TINY}", "PyTorch"],
    "d12_facial_expressions": [r"14\d\d faces", r"disgusted +\d\d ", r"neutral +\d{3} ", "mean of the classes"],
    "d13_autoencoders": [r"8 principal comp.* 0\.024", r"linear auto.* 0\.024", "ReLU", "with noise", "denoising"],
    "d13_stacked_autoencoder": ["100 labels", r"pixels +8\d", r"random weights +8\d", "on top", r"taught +9\d"],
    "d13_recurrent_networks": [f"difference {TINY}", r"test accuracy 9\d\.", "probability", r"8 rows: .*9\d%"],
    "d15_boltzmann_machine": [r"-44\.36 if all", r"-24\.57 if each", "after 50", "upper halves", "##", "dreamt", "##"],
    "d15_word_vectors": ["4000 sentences", "king − man \\+ woman ≈ queen", r"(\d\d) of 48 such questions"],
    "d16_watch_the_cost": [r"epoch +1 .*█{50}", r"epoch 20 .*█", "finished 20 epochs"],
    "e1_polynomial_regression": [r"\+900 +1\.94157737 -1\.04196237 +0\.51647761", r"squares 1\.94157737 "],
    "e2_convolution": ["convolution: ", r"finite differences: within \de-(09|1\d)", "NLL∘softmax"],
    "e3_digit_convolution": ["cost", r"9\d\.\d% are read right"],
    "e4_chain_rule": [r"3\.269902"] * 3,
    "e5_update_sooner": [r"stochastic.* 2\.53 +0\.\d\d "],
}  # fmt: skip


def run(file, folder, *arguments, **environment):
    """The output of an example, run in `folder`."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "error", **environment}
    done = subprocess.run(
        [sys.executable, str(file), *arguments], cwd=folder, env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def shown(tmp_path_factory):
    """What an example prints, and the folder it drew into; it is run once for all tests."""

    @cache
    def once(name):
        folder = tmp_path_factory.mktemp(name)
        return run(FOLDER / f"{name}.py", folder), folder

    return once


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_example_runs_and_shows_what_it_should(file, shown):
    if file.stem == "b1_mnist" and NO_MNIST:
        pytest.skip("MNIST is not on this machine: put its files into the folder named by CHAINRULE_DATA")
    output, folder = shown(file.stem)
    pattern = ".*?".join(f"(?:{part})" for part in EXPECTED[file.stem])
    assert re.search(pattern, output, re.DOTALL | re.MULTILINE), output
    drawn = [path.name for path in folder.iterdir()]
    assert drawn == ([f"{file.stem}.png"] if file.stem in DRAWINGS else [])
    for name in drawn:
        check_picture(folder / name)


def check_picture(path):
    """A PNG file that is large enough to look at, and not all of one colour."""
    from PIL import Image

    with Image.open(path) as image:
        image.load()
        assert image.format == "PNG"
        assert min(image.size) >= 300
        assert len(image.convert("RGB").getcolors(2**24)) > 10


def numbers(output, line):
    """The numbers of the first line that begins with these words."""
    (found,) = re.findall(rf"^ *{re.escape(line)}(.*)$", output, re.MULTILINE)
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", found)]


def test_an_autoencoder_is_as_good_as_principal_components_and_with_hidden_layers_better(shown):
    output, _ = shown("d13_autoencoders")
    components, linear, deep = (
        numbers(output, line)
        for line in ("8 principal components", "linear autoencoder, 64-8-64", "64-100-8-100-64 with ReLU")
    )
    assert components[0] <= linear[0] < 1.05 * components[0]  # no linear one can be better (Eckart & Young 1936)
    assert deep[1] < 0.6 * components[1]


def test_a_denoising_autoencoder_takes_away_most_of_the_noise(shown):
    output, _ = shown("d13_autoencoders")
    noisy, plain, denoised = (
        numbers(output, line)[-1]
        for line in ("new digits with noise:", "through the narrow autoencoder", "through the denoising one:")
    )
    assert noisy == pytest.approx(0.16, rel=0.05)  # 0.4²
    assert denoised < 0.25 * noisy
    assert denoised < 0.5 * plain


def test_pre_training_without_labels_helps_with_each_choice_of_known_labels(shown):
    output, _ = shown("d13_stacked_autoencoder")
    _, *pixels = numbers(output, "logistic regression on the pixels")
    _, *random = numbers(output, "64-100-50-10 from random weights")[-4:]
    _, *taught = numbers(output, "and then all layers taught")
    assert all(one > max(others) for one, *others in zip(taught, pixels, random, strict=True))
    assert sum(taught) > sum(random) + 3 * 2


def test_contrastive_divergence_raises_the_probability_of_new_digits(shown):
    output, _ = shown("d15_boltzmann_machine")
    logs = [float(number) for number in re.findall(r"(-\d\d\.\d\d) (?:if|after)", output)]
    assert logs == sorted(logs)
    assert logs[-1] > -19.5


def test_every_analogy_is_answered_right(shown):
    assert "48 of 48 such questions answered right" in shown("d15_word_vectors")[0]


def test_class_weights_bring_out_the_rare_expression(shown):
    output, _ = shown("d12_facial_expressions")
    _, alike, balanced = numbers(output, "disgusted")
    assert balanced >= alike + 20
    means = numbers(output, "mean of the classes")
    assert means[1] > means[0] > 75


def test_a_picture_goes_where_it_is_told(tmp_path):
    run(FOLDER / "e1_polynomial_regression.py", tmp_path, "--output", "elsewhere.png")
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere.png"]


def test_without_mnist_its_example_says_where_to_put_it(tmp_path):
    nowhere = {"CHAINRULE_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    offline = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    output = run(FOLDER / "b1_mnist.py", tmp_path, **nowhere, **offline, no_proxy="", NO_PROXY="")
    assert "MNIST is not here" in output
    assert "set CHAINRULE_DATA" in output


def test_every_example_is_in_the_readme():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\w+\.py)\)", readme) == sorted((file.name for file in FILES), key=mission_order)


def mission_order(name):
    """A letter, then a number: d2 comes before d16."""
    letter, number = re.match(r"([a-e])(\d+)", name).groups()
    return letter, int(number)
