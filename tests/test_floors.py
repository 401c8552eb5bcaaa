"""The house has floors, and imports point down only: never up, never sideways to another room on the same floor."""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import chainrule

HOUSE = Path(chainrule.__file__).parent
DOOR = 4.5  # chainrule/__init__.py, which shows what floors 0 to 4 hold: only those above may come in through it

FLOORS = {
    "errors": 0,
    "arrays": 0,
    "configuration": 0,
    "files": 0,
    "kernels": 0,
    "randomness": 0,
    "initializers": 1,
    "operations": 1,
    "tape": 1,
    "layers": 2,
    "losses": 2,
    "optimizers": 2,
    "regularizers": 2,
    "schedules": 2,
    "data": 3,
    "network": 3,
    "tabular": 3,
    "evaluation": 4,
    "explain": 4,
    "export": 4,
    "plots": 4,
    "testing": 4,
    "training": 4,
    "doctor": 5,
    "estimators": 5,
    "interop": 5,
    "selection": 5,
    "playground": 6,
    "serving": 6,
    "cli": 7,
}
READ_BY_ALL = {"errors"}  # even by its own floor

# The one way up, by name: the method that users look for on the network itself. It is opened only when it is called
# (and for the type checker, which must know what it gives).
UPSTAIRS = {("network/network.py", function, "chainrule.explain") for function in ("explain", "TYPE_CHECKING")}

# Besides NumPy and Python itself, what a room may import: as soon as it is entered, and within functions.
SERVER = {"starlette", "uvicorn", "anyio", "websockets"}
AT_ONCE = {
    "cli": {"typer", "rich", "click"},
    "estimators": {"sklearn", "scipy"},
    "playground": SERVER,
    "serving": SERVER,
}
DRAWING = {"matplotlib", "mpl_toolkits", "PIL"}
WHEN_NEEDED = {
    "data": {"PIL", "pooch", "requests"},
    "network": {"safetensors", "rich"},
    "training": {"pandas", "rich"},
    "evaluation": {"pandas", "rich"},
    "plots": DRAWING,
    "tabular": {"pandas", "sklearn", "scipy", "pyarrow"},
    "explain": {"IPython"},
    "export": {"onnx"},
    "doctor": DRAWING | {"pandas", "scipy"},
    "estimators": {"sklearn", "scipy", "pandas"},
    "interop": {"torch", "keras"},
    "selection": DRAWING | {"sklearn", "scipy", "joblib", "pandas", "rich"},
    "playground": SERVER,
    "serving": SERVER,
    "cli": DRAWING | {"pandas", "typer", "rich", "click"},
}


@dataclass(frozen=True)
class Import:
    """One import: which file and line, of what, and within which function ("" at module level)."""

    path: str
    line: int
    module: str
    function: str

    @property
    def room(self):
        return self.path.split("/")[0].removesuffix(".py")

    @property
    def target(self):
        """The room it imports; "" for the door; None for another library."""
        package, _, rest = self.module.partition(".")
        return rest.split(".")[0] if package == "chainrule" else None

    def __str__(self):
        return f"{self.path}:{self.line} imports {self.module}"


class Imports(ast.NodeVisitor):
    """Collects the imports of one file. What stands under `if TYPE_CHECKING` counts as within a function."""

    def __init__(self, path):
        self.path, self.function, self.found = path, "", []

    def visit_Import(self, node):
        self.found += [Import(self.path, node.lineno, alias.name, self.function) for alias in node.names]

    def visit_ImportFrom(self, node):
        assert node.level == 0, f"{self.path}:{node.lineno}: write the whole name of the module"
        modules = {node.module}
        if node.module == "chainrule":
            modules = {f"chainrule.{alias.name}" if alias.name in rooms() else "chainrule" for alias in node.names}
        self.found += [Import(self.path, node.lineno, module, self.function) for module in modules]

    def visit_FunctionDef(self, node):
        before, self.function = self.function, node.name
        self.generic_visit(node)
        self.function = before

    def visit_If(self, node):
        before, self.function = self.function, self.function or ast.unparse(node.test)
        if self.function != "TYPE_CHECKING":
            self.function = before
        self.generic_visit(node)
        self.function = before


def rooms():
    return {
        path.stem for path in HOUSE.iterdir() if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    } - {"__init__"}


def imports_of(source, path):
    visitor = Imports(path)
    visitor.visit(ast.parse(source))
    return visitor.found


def all_imports():
    files = [path for path in sorted(HOUSE.rglob("*.py")) if path != HOUSE / "__init__.py"]
    return [found for path in files for found in imports_of(path.read_text(), path.relative_to(HOUSE).as_posix())]


def points_down(found):
    """Whether an import within the house obeys the rule."""
    own, target = FLOORS[found.room], found.target
    if (found.path, found.function, found.module) in UPSTAIRS:
        return True
    if target == found.room or target in READ_BY_ALL:
        return True
    return (FLOORS[target] if target else DOOR) < own


def is_allowed_library(found):
    """Whether an import of another library obeys the rule."""
    library = found.module.split(".")[0]
    if library == "numpy" or library in sys.stdlib_module_names:
        return True
    if not found.function:
        return library in AT_ONCE.get(found.room, ())
    if (found.room, library) == ("network", "rich"):
        return found.function == "__rich__"
    return library in WHEN_NEEDED.get(found.room, ())


def test_every_room_has_a_floor():
    assert rooms() <= set(FLOORS)


def test_imports_point_down_only():
    assert [str(found) for found in all_imports() if found.target is not None and not points_down(found)] == []


def test_other_libraries_stay_in_their_rooms():
    assert [str(found) for found in all_imports() if found.target is None and not is_allowed_library(found)] == []


def test_the_door_opens_on_floors_0_to_4():
    found = imports_of((HOUSE / "__init__.py").read_text(), "__init__.py")
    assert [i.module for i in found if i.target is None and i.module.split(".")[0] not in sys.stdlib_module_names] == []
    assert {target for i in found if (target := i.target) and FLOORS[target] > 4} == set()


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("operations/linear.py", "from chainrule.layers import Linear"),
        ("operations/linear.py", "import chainrule.network.network"),
        ("operations/linear.py", "from chainrule import losses"),
        ("layers/linear.py", "from chainrule.losses import Loss"),
        ("arrays.py", "from chainrule.files import Pathlike"),
        ("plots/curves.py", "from chainrule.evaluation import confusion_matrix"),
        ("training/train.py", "import chainrule as cr"),
        ("training/train.py", "from chainrule import Network"),
        ("network/network.py", "def f():\n    from chainrule.training import train"),
        ("network/network.py", "from chainrule.explain import explain"),
        ("network/network.py", "def evaluate():\n    from chainrule.explain import explain"),
        ("network/summary.py", "def explain():\n    from chainrule.explain import explain"),
    ],
)
def test_an_import_up_or_sideways_is_caught(path, line):
    assert [found for found in imports_of(line, path) if not points_down(found)]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("network/network.py", "import pandas"),
        ("network/network.py", "import safetensors"),
        ("network/summary.py", "def show():\n    import rich"),
        ("data/mnist.py", "import pooch"),
        ("operations/linear.py", "def f():\n    import scipy"),
        ("plots/curves.py", "import matplotlib.pyplot"),
        ("training/train.py", "from rich.live import Live"),
    ],
)
def test_a_library_out_of_its_room_is_caught(path, line):
    assert [found for found in imports_of(line, path) if not is_allowed_library(found)]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("layers/linear.py", "from chainrule.operations import linear_forward"),
        ("layers/linear.py", "from chainrule.layers.layer import Layer"),
        ("operations/operation.py", "from chainrule import kernels"),
        ("randomness.py", "from chainrule.errors import SettingError"),
        ("cli/app.py", "import chainrule as cr"),
        ("plots/curves.py", "if TYPE_CHECKING:\n    from matplotlib.figure import Figure"),
        ("data/mnist.py", "def fetch():\n    import pooch"),
        ("network/network.py", "class Network:\n    def explain():\n        from chainrule.explain import explain"),
        ("network/summary.py", "class Summary:\n    def __rich__(self):\n        from rich.table import Table"),
    ],
)
def test_what_obeys_the_rule_passes(path, line):
    for found in imports_of(line, path):
        assert is_allowed_library(found) if found.target is None else points_down(found)
