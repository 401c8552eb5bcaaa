"""Pack the 8×8 handwritten digits into src/chainrule/data/digits.npz, from the copy that scikit-learn ships.

    python scripts/make_digits.py

Run once, when the data set was added; kept so that anyone can see what was done to the numbers, and do it again.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from chainrule.randomness import stream

TARGET = Path(__file__).parents[1] / "src" / "chainrule" / "data" / "digits.npz"


def main() -> None:
    source = load_digits()
    pixels = source.data.astype(np.uint8)  # (1797, 64), whole numbers 0 … 16
    labels = source.target.astype(np.uint8)  # (1797,)
    assert (pixels == source.data).all()
    np.savez_compressed(TARGET, pixels=pixels, labels=labels, test=every_fifth_of_each_class(labels))
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


def every_fifth_of_each_class(labels: np.ndarray) -> np.ndarray:
    """True for the test rows: shuffle the rows, sort them by class, take every fifth."""
    shuffled = stream(0, "digits").permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    test = np.zeros(len(labels), dtype=bool)
    test[by_class[::5]] = True
    return test


if __name__ == "__main__":
    main()
