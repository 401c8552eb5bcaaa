"""What every data set of the library looks like."""

from dataclasses import dataclass

from chainrule.arrays import Array, Samples, Shape


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """Samples to learn from and samples to test on, and what there is to know about them.

    Args:
        name: its name in the catalogue.
        train: (x, y) to learn from. x is (N, features) float32, an array or Pixels; y is (N,) int64 class labels
            0 … K−1, or, where there are no classes, (N, 1) float32 values.
        test: (x, y) of the same form, to test on; none of its samples is in `train`.
        image_shape: (height, width) when each row of x is an image, read line by line; (channels, height, width) for
            pictures as they are, light where they are large; else None.
        class_names: one name per label; None for a regression.
        source: who made it, and where it is described.
        licence: on what terms it may be used.
        description: one sentence.

    """

    name: str
    train: tuple[Samples, Array]
    test: tuple[Samples, Array]
    image_shape: Shape | None
    class_names: tuple[str, ...] | None
    source: str
    licence: str
    description: str

    def __repr__(self) -> str:
        x, _ = self.train
        features = f"{x.shape[1]} feature{'s' if x.shape[1] > 1 else ''}"
        image = f" (images {self.image_shape[0]}×{self.image_shape[1]})" if self.image_shape else ""
        answer = f"{len(self.class_names)} classes" if self.class_names else "a number to predict"
        return f"<DataSet {self.name}: {len(x)} train, {len(self.test[0])} test, {features}{image}, {answer}>"
