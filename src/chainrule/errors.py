"""Every error the library raises on purpose.

A message names what was expected, what came, and what to do. Each class also derives from the built-in exception
that Python itself would raise, so `except ValueError` keeps working.

    ChainruleError
    ├── DataError            ValueError       values that cannot be used: NaN, wrong labels, too few rows
    │   └── ShapeError                        an array or layer of the wrong shape
    ├── DataTypeError        TypeError        a kind of array that cannot be used: text, objects, complex, sparse
    ├── SettingError         ValueError       a layer, loss or training setting out of its range
    ├── NotBuiltError        RuntimeError     parameters asked for before the input shape is known
    ├── DivergenceError      ArithmeticError  training met a value that is not finite
    ├── DerivationError      ArithmeticError  a kernel and its formula, or a sum over paths, do not agree
    ├── NotSeparableError    ArithmeticError  no line separates the classes (perceptron)
    ├── ModelFileError       ValueError       a model file that is damaged, foreign or hostile
    ├── DownloadError        OSError          a data set could not be fetched
    └── MissingExtraError    ImportError      an optional package is not installed
"""


class ChainruleError(Exception):
    """The root of the tree: catch this to catch every error of the library."""

    def __reduce__(self) -> tuple[object, ...]:
        """How it comes back from another process: some take more than the message, which is all that Python keeps."""
        return _again, (type(self), self.args, vars(self))


def _again(kind: type[ChainruleError], arguments: tuple[object, ...], state: dict[str, object]) -> ChainruleError:
    error = kind.__new__(kind, *arguments)
    vars(error).update(state)
    return error


class DataError(ChainruleError, ValueError):
    """Values that cannot be used. The message names the argument and the first offending row."""


class ShapeError(DataError):
    """An array or a layer of the wrong shape. The message names the layer, the expected and the actual shape."""


class DataTypeError(ChainruleError, TypeError):
    """A kind of value that is not an array of numbers."""


class SettingError(ChainruleError, ValueError):
    """A setting out of its range. The message names the setting and the range."""


class NotBuiltError(ChainruleError, RuntimeError):
    """The network has no parameters yet, because its input shape is not known."""


class DivergenceError(ChainruleError, ArithmeticError):
    """Training met a value that is not finite and stopped; the network keeps its last finite weights."""

    def __init__(self, message: str, *, epoch: int, step: int, layer: str, cause: str) -> None:
        super().__init__(message)
        self.epoch = epoch
        self.step = step
        self.layer = layer
        self.cause = cause
        self.rows: list[int] | None = None  # of the training data, those of the batch at which it stopped


class DerivationError(ChainruleError, ArithmeticError):
    """A number that was to be explained came out otherwise than it was worked out: by more than rounding."""


class NotSeparableError(ChainruleError, ArithmeticError):
    """No straight line (or hyperplane) separates the two classes."""


class ModelFileError(ChainruleError, ValueError):
    """A model file that is damaged, foreign or hostile."""


class DownloadError(ChainruleError, OSError):
    """A data set could not be fetched, or what came was not what was asked for."""


class MissingExtraError(ChainruleError, ImportError):
    """An optional package is missing. The message names the extra to install."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}: install it with  pip install 'chainrule[{extra}]'")
