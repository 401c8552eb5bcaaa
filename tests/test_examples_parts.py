"""Parts of examples that are more than calls of the library: formulas, a layer, a reader of files."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest

from chainrule.errors import DataError
from chainrule.testing import check_layer

FOLDER = Path(__file__).parents[1] / "examples"
pytestmark = pytest.mark.usefixtures("registers")  # one of them defines a layer


def example(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def machine():
    """A Boltzmann machine with five pixels, whose 32 images can all be looked at."""
    rng = np.random.default_rng(0)
    made = example("d15_boltzmann_machine").BoltzmannMachine((rng.random((50, 5)) < 0.3).astype(float), rng)
    made.W, made.b = rng.normal(0, 1, made.W.shape), rng.normal(0, 1, made.b.shape)
    return made


IMAGES = np.array(list(itertools.product((0.0, 1.0), repeat=5)))  # (32, 5)


def test_the_probabilities_of_all_images_add_up_to_1(machine):
    p = np.exp(-machine.free_energy(IMAGES) - machine.log_partition())
    assert p.sum() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("name", ["W", "a", "b"])
def test_contrastive_divergence_is_the_gradient_where_the_dreams_come_from_the_machine_itself(machine, name):
    """With the images as often as the machine itself makes them, a step back and forth changes nothing on average."""
    p = np.exp(-machine.free_energy(IMAGES) - machine.log_partition())
    often = machine.rng.choice(32, 200_000, p=p)
    found = machine.gradients(IMAGES[often])[name]
    assert np.abs(found).max() < 5 / np.sqrt(200_000)  # five standard errors, each at most 1/√N


@pytest.mark.parametrize("name", ["W", "a", "b"])
def test_the_part_at_the_data_is_the_slope_of_the_free_energy(machine, name):
    """The dreams held fast: contrastive divergence is the gradient of mean F(data) − mean F(dreams)."""
    v, state = IMAGES[[3, 8, 30]], machine.rng.bit_generator.state
    found = machine.gradients(v)[name]
    machine.rng.bit_generator.state = state
    dreamt = machine.draw(machine.visible(machine.draw(machine.hidden(v))))
    parameter, step = getattr(machine, name), 1e-5
    for place in itertools.islice(np.ndindex(parameter.shape), 10):
        difference = []
        for sign in (1, -1):
            parameter[place] += sign * step
            difference.append(machine.free_energy(v).mean() - machine.free_energy(dreamt).mean())
            parameter[place] -= sign * step
        assert found[place] == pytest.approx((difference[0] - difference[1]) / (2 * step), abs=1e-9)


def test_the_layer_of_word_vectors_passes_the_common_checks():
    words = example("d15_word_vectors")
    check_layer(words.DotProduct(), (2, 5))


def test_near_words_are_those_within_the_window():
    words = example("d15_word_vectors")
    number = {letter: i for i, letter in enumerate("abcdef")}
    pairs = words.near_pairs([list("abcdef")], number)
    assert sorted(map(tuple, pairs)) == [(i, j) for i in range(6) for j in range(6) if 0 < abs(i - j) <= words.WINDOW]


PIXELS = " ".join(["7"] * 48**2)


def faces_file(folder, *rows, head="emotion,pixels,Usage"):
    path = folder / "faces.csv"
    path.write_bytes("\r\n".join([head, *rows, ""]).encode())
    return path


def test_faces_are_read_from_the_layout_of_fer2013(tmp_path):
    rows = [f"3,{PIXELS},Training", f"6,{PIXELS},PublicTest", f"0,{PIXELS},PrivateTest"]
    (x, labels), (x_test, test_labels) = example("d12_facial_expressions").read_fer2013(faces_file(tmp_path, *rows))
    assert x.shape == (1, 1, 48, 48)
    assert (x.bytes == 7).all()
    assert (labels.tolist(), x_test.shape, test_labels.tolist()) == ([3], (2, 1, 48, 48), [6, 0])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"3,{PIXELS} 1,Training", "line 3: expected 2304 pixels and an emotion 0…6, got 2305 and 3"),
        (f"7,{PIXELS},Training", "line 3: expected 2304 pixels and an emotion 0…6, got 2304 and 7"),
        (f"3,{PIXELS[:-1]}256,Training", "line 3: expected whole numbers 0…255"),
        (f"3,{PIXELS[:-1]}-1,Training", "line 3: expected whole numbers 0…255"),
        (f"happy,{PIXELS},Training", "line 3: expected whole numbers 0…255 as pixels, and one as emotion"),
        ("3", "line 3: expected whole numbers 0…255 as pixels, and one as emotion"),
    ],
    ids=["pixels", "emotion", "256", "-1", "word", "short"],
)
def test_a_row_that_is_none_is_named(tmp_path, row, message):
    path = faces_file(tmp_path, f"3,{PIXELS},Training", row)
    with pytest.raises(DataError, match=message):
        example("d12_facial_expressions").read_fer2013(path)


def test_a_file_without_these_columns_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no column Usage, emotion"):
        example("d12_facial_expressions").read_fer2013(faces_file(tmp_path, head="label,pixels"))


def test_made_faces_are_in_that_layout_and_as_unequally_shared_out(tmp_path):
    faces = example("d12_facial_expressions")
    (_, labels), (_, test_labels) = faces.read_fer2013(faces.write_faces(tmp_path / "faces.csv", 700))
    counts = np.bincount(np.concatenate([labels, test_labels]), minlength=7)
    assert counts.tolist() == [max(5, 700 * count // sum(faces.COUNTS)) for count in faces.COUNTS]
