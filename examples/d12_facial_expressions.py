"""Mission D12: facial expressions, 48×48 grey faces of seven classes, one of them very rare.

    python d12_facial_expressions.py [fer2013.csv]

The file has the layout of the data set fer2013 (Goodfellow et al. 2013): the columns emotion (0…6), pixels (2304
numbers 0…255) and Usage (Training, PublicTest or PrivateTest). Without one, faces are drawn here, as unequally shared
out as there: 1.5% are disgusted. You see the share of each class that a convolutional network recognises, once with all
faces counting alike, and once with all classes counting alike.
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import chainrule as cr

EXPRESSIONS = ("angry", "disgusted", "afraid", "happy", "sad", "surprised", "neutral")
COUNTS = (4953, 547, 5121, 8989, 6077, 4002, 6198)  # of fer2013
SIDE = 48
Faces = tuple[cr.data.Pixels, NDArray]  # (N, 1, 48, 48) and labels (N,)


def read_fer2013(path: Path) -> tuple[Faces, Faces]:
    """Faces to learn from, and those of PublicTest and PrivateTest. Raises DataError, which names the line."""
    rows: dict[bool, list[tuple[NDArray, int]]] = {True: [], False: []}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {"emotion", "pixels", "Usage"} - set(reader.fieldnames or ())
        if missing:
            raise cr.errors.DataError(f"{path}: there is no column {', '.join(sorted(missing))}")
        for row in reader:
            rows[row["Usage"] == "Training"].append(face_of(row, f"{path}, line {reader.line_num}"))
    return as_faces(rows[True]), as_faces(rows[False])


def as_faces(rows: list[tuple[NDArray, int]]) -> Faces:
    return cr.data.Pixels(np.stack([pixels for pixels, _ in rows])), np.array([label for _, label in rows])


def face_of(row: dict[str, str], where: str) -> tuple[NDArray, int]:
    """The pixels (1, 48, 48) and the label of a row."""
    try:
        pixels, label = np.array(row["pixels"].split(), dtype=np.uint8), int(row["emotion"])
    except (ValueError, OverflowError, TypeError, AttributeError):  # the last two: a row that is too short
        raise cr.errors.DataError(f"{where}: expected whole numbers 0…255 as pixels, and one as emotion") from None
    if len(pixels) != SIDE**2 or not 0 <= label < len(EXPRESSIONS):
        raise cr.errors.DataError(
            f"{where}: expected {SIDE**2} pixels and an emotion 0…6, got {len(pixels)} and {label}"
        )
    return pixels.reshape(1, SIDE, SIDE), label


def network(seed: int = 0) -> cr.Network:
    layers = [
        cr.Conv2D(8, 5, stride=2, weights=cr.He()), cr.ReLU(), cr.MaxPool2D(2),
        cr.Conv2D(16, 3, weights=cr.He()), cr.ReLU(), cr.MaxPool2D(2),
        cr.Flatten(), cr.Linear(len(EXPRESSIONS)),
    ]  # fmt: skip
    return cr.Network(layers, loss=cr.CrossEntropy(), seed=seed, metadata={"class_names": list(EXPRESSIONS)})


def recognised(training: Faces, test: Faces, class_weight: str | None, epochs: int, seed: int = 0) -> NDArray:
    """The share of each class that is recognised, (7,)."""
    recogniser = network(seed)
    cr.train(
        recogniser,
        training,
        class_weight=class_weight,
        epochs=epochs,
        optimizer=cr.Adam(0.002),
        seed=seed,
        progress=False,
    )
    found = recogniser.predict(test[0]).argmax(axis=1)
    matrix = cr.evaluation.confusion_matrix(test[1], found, len(EXPRESSIONS))
    return matrix.diagonal() / np.maximum(1, matrix.sum(axis=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", nargs="?", type=Path, help="a CSV file as fer2013.csv")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--output", default="d12_facial_expressions.png", help="where some faces go")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        path = arguments.faces or write_faces(Path(folder) / "faces.csv", 2400)
        training, test = read_fer2013(path)
    counts = np.bincount(training[1], minlength=len(EXPRESSIONS))
    print(f"{len(training[1])} faces to learn from, {len(test[1])} to be tested on")
    alike = recognised(training, test, None, arguments.epochs)
    balanced = recognised(training, test, "balanced", arguments.epochs)
    print("recognised    faces   all faces count alike   all classes count alike")
    for name, count, one, other in zip(EXPRESSIONS, counts, alike, balanced, strict=True):
        print(f"{name:12} {count:6} {one:23.0%} {other:25.0%}")
    print(f"mean of the classes {alike.mean():23.1%} {balanced.mean():25.1%}")

    some = [np.flatnonzero(training[1] == k)[:3] for k in range(len(EXPRESSIONS))]
    rows = np.array([found for found in some if len(found) == 3]).T.ravel()  # three of each class, in columns
    names = [EXPRESSIONS[training[1][row]] for row in rows[: len(rows) // 3]] + [""] * (2 * len(rows) // 3)
    cr.plots.gallery(255 - training[0].bytes[rows, 0], names, columns=len(rows) // 3).savefig(arguments.output)
    print(f"drawn: {arguments.output}")


# Faces that are made, where the real ones are not at hand

FEATURES = {  # how steep the brows are, how high; how far the mouth is bent, and open; how far it is askew
    "angry": (0.5, 0, -1, 0, 0), "disgusted": (0.4, 0, -2, 0.5, 1), "afraid": (-0.5, 2, -1, 2, 0),
    "happy": (0, 1, 4, 0.5, 0), "sad": (-0.4, 0, -4, 0, 0), "surprised": (0, 3, 0, 5, 0), "neutral": (0, 0, 0, 0, 0),
}  # fmt: skip


def write_faces(path: Path, count: int, seed: int = 0) -> Path:
    """A CSV file in the layout of fer2013, with that many faces; two fifths are for testing."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(range(7), np.maximum(5, count * np.array(COUNTS) // sum(COUNTS)))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for label, usage in zip(rng.permutation(labels), usages(rng), strict=False):
            writer.writerow([label, " ".join(map(str, drawn_face(EXPRESSIONS[label], rng).ravel())), usage])
    return path


def usages(rng: np.random.Generator) -> Iterator[str]:
    while True:
        yield str(rng.choice(["Training", "PublicTest", "PrivateTest"], p=[0.6, 0.2, 0.2]))


def drawn_face(expression: str, rng: np.random.Generator) -> NDArray:
    """A grey face (48, 48) on a darker ground, its features a little different each time."""
    slope, height, bend, opening, askew = np.array(FEATURES[expression]) + rng.normal(0, [0.12, 0.6, 0.8, 0.5, 0.2])
    x0, y0 = rng.normal(24, 1.5, 2)
    y, x = np.mgrid[:SIDE, :SIDE] - np.array([y0, x0])[:, None, None]
    face = np.where((x / 17) ** 2 + (y / 21) ** 2 < 1, 170 + rng.normal(0, 15), 60.0)
    for side in (-1, 1):
        outward = side * x - 7
        brow = y + 10 + height + slope * outward
        face[(np.abs(outward) < 4.5) & (np.abs(brow) < 1)] = 50
        face[outward**2 + (y + 4) ** 2 < 5] = 40
    face[(np.abs(x) < 1) & (np.abs(y - 2) < 4)] = 130
    mouth = y - 10 + bend * (x / 7) ** 2 - askew * x / 3 - bend / 2
    face[(np.abs(x) < 7.5) & (np.abs(mouth) < 1 + np.maximum(0, opening) * (1 - (x / 7.5) ** 2))] = 45
    noisy = face + rng.normal(0, 25, face.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
