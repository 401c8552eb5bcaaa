"""The built-in data: 1,797 handwritten digits of 8×8 pixels. Where they come from is told in digits.txt beside this."""

from pathlib import Path

import numpy as np

from chainrule.data.dataset import DataSet

FILE = Path(__file__).with_name("digits.npz")
DARKEST = 16  # a pixel counts the black dots in a block of 4×4

SOURCE = (
    "E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, "
    "https://doi.org/10.24432/C50P49"
)


def load_digits() -> DataSet:
    """The 8×8 digits, 1,437 to train and 360 to test: x (N, 64) float32 in 0…1, y (N,) int64 labels 0…9.

    They are the test set of the UCI data, written by 13 people. Its own training set, by 30 other people, is not part
    of it, so the split is ours: one sample in five of each class, drawn once and kept in the file. The same people
    wrote on both sides of it. A test accuracy here says how well their writing is read, not a stranger's.
    """
    with np.load(FILE, allow_pickle=False) as packed:
        pixels, labels, test = packed["pixels"], packed["labels"], packed["test"]
    x = np.divide(pixels, DARKEST, dtype=np.float32)  # (1797, 64)
    y = labels.astype(np.int64)  # (1797,)
    return DataSet(
        name="digits",
        train=(x[~test], y[~test]),
        test=(x[test], y[test]),
        image_shape=(8, 8),
        class_names=tuple("0123456789"),
        source=SOURCE,
        licence="CC BY 4.0",
        description="Handwritten digits by 13 people, 8×8 pixels of 17 greys.",
    )
