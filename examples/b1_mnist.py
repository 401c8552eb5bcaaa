"""Mission B1: MNIST, 60,000 + 10,000 handwritten digits from four IDX files.

You see where the files are on this machine, their shapes and values, how often each digit occurs, and the first image
as characters. The files are fetched at first use; without a connection you are told where to put them.
"""

import numpy as np

import chainrule as cr

SHADES = " .:-=+*#%@"  # from white to black


def main() -> None:
    try:
        mnist = cr.data.load_mnist()
    except cr.errors.DownloadError as error:
        print(f"MNIST is not here, so there is nothing to see: {error}")
        return

    print("files:", *cr.data.where("mnist"), sep="\n  ")
    print(mnist)
    for name, (x, y) in {"train": mnist.train, "test": mnist.test}.items():
        low, high = x.bytes.min(), x.bytes.max()
        print(f"{name}: images {x.shape}, bytes {low}…{high} that read as {x.dtype} {low / 255:g}…{high / 255:g}")
        print(f"  labels {y.shape}, {y.min()}…{y.max()}, as often as", *np.bincount(y))

    first, labels = mnist.train
    print(f"\nthe first image, a {labels[0]}:")
    for row in first[0].reshape(28, 28)[4:26]:
        print("".join(2 * SHADES[int(9 * pixel)] for pixel in row).rstrip())


if __name__ == "__main__":
    main()
