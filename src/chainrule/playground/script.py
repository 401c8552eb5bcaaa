"""The same training as a Python program: run, it gives the same weights, byte for byte."""

from __future__ import annotations

import dataclasses

import numpy as np

from chainrule.arrays import Array
from chainrule.configuration import Configurable
from chainrule.playground.building import batch_size, make_optimizer, make_penalty
from chainrule.playground.data import MAKERS, TICKET_WEIGHTS
from chainrule.playground.pictures import Viewer
from chainrule.playground.settings import IMAGES, TOYS, Settings
from chainrule.playground.trainer import Segment

STOP = '''
class StopAfter(cr.Callback):
    """Ends a training in the middle of an epoch, after so many steps."""

    def __init__(self, steps):
        self.steps = steps

    def on_step_end(self, run):
        if run.step == self.steps:
            run.stop(f"after {self.steps} steps")

'''


def as_python(viewer: Viewer, segments: tuple[Segment, ...]) -> str:
    """The program: data, network, each call of `train` that led to the weights of now."""
    calls = [_call(viewer, segment) for segment in segments if segment.steps]
    parts = [
        '"""A network of the Chainrule playground: the same data, the same settings, the same weights."""\n',
        "import hashlib\n",
        "import numpy as np\n",
        "import chainrule as cr",
        STOP if any("StopAfter" in call for call in calls) else "",
        *_data(viewer),
        "",
        "network = cr.Network(",
        "    [",
        *(f"        {written(layer)}," for layer in viewer.network.layers),
        "    ],",
        f"    loss={written(viewer.network.loss)},",
        f"    seed={viewer.settings.seed},",
        *([f"    metadata={viewer.network.metadata!r},"] if viewer.network.metadata else []),
        f").build(({viewer.problem.features},))",
        "",
        *calls,
        "print(network.evaluate(*train))",
        "print(network.evaluate(*test))",
        'weights = b"".join(W.tobytes() for W in network.parameters.values())',
        'print("digest of the weights:", hashlib.sha256(weights).hexdigest())',
        "",
    ]
    return "\n".join(parts)


def written(part: object) -> str:
    """A layer, loss, … as the Python that makes it; settings as they are by default are left out."""
    if not isinstance(part, Configurable):
        return repr(part)
    settings = []
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        if field.default is dataclasses.MISSING:
            settings.append(written(value))
        elif written(value) != written(field.default):
            settings.append(f"{field.name}={written(value)}")
    return f"cr.{type(part).__name__}({', '.join(settings)})"


def _data(viewer: Viewer) -> list[str]:
    settings = viewer.settings
    if settings.data in IMAGES:
        return [f"data = cr.data.load({settings.data!r})", "train, test = data.train, data.test"]
    if settings.data == "tickets":
        return [
            "# Cheap, available, interested: all eight cases, and whether to go.",
            "x = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)], np.float32)",
            f"y = (x @ np.array({TICKET_WEIGHTS}) >= {settings.threshold}).astype(np.int64)",
            "train = test = (x, y)",
        ]
    lines = [_toy(settings)] if settings.data in TOYS else _literal(viewer)
    if not settings.held_out:
        return [*lines, "train = test = (x, y)"]
    return [*lines, f"train, test = cr.data.split(x, y, {settings.held_out!r}, np.random.default_rng({settings.seed}))"]


def _toy(settings: Settings) -> str:
    make = MAKERS[settings.data].__name__
    more = f"{settings.classes}, " if settings.data == "blobs" else ""
    return f"x, y = cr.data.{make}({settings.samples}, {more}{settings.noise!r}, seed={settings.seed})"


def _literal(viewer: Viewer) -> list[str]:
    """The user's own samples, number by number."""
    x, y = viewer.problem.whole or viewer.problem.train
    return [f"x = np.array({_numbers(np.asarray(x))}, np.float32)", f"y = np.array({_numbers(y)}, np.{y.dtype.name})"]


def _numbers(array: Array) -> str:
    """The shortest decimals that read as the same numbers."""
    rows = [np.format_float_positional(v, unique=True, trim="-") if v.dtype.kind == "f" else str(v) for v in array.flat]
    if array.ndim == 1:
        return f"[{', '.join(rows)}]"
    width = array.shape[1]
    lines = [f"    [{', '.join(rows[start : start + width])}]," for start in range(0, len(rows), width)]
    return "[\n" + "\n".join(lines) + "\n]"


def _call(viewer: Viewer, segment: Segment) -> str:
    settings, samples = segment.settings, len(viewer.problem.train[0])
    size = batch_size(settings, viewer.problem)
    per_epoch = -(-samples // (size or samples))
    epochs, rest = divmod(segment.steps, per_epoch)
    penalty = make_penalty(settings)
    arguments = [
        "network",
        "train",
        f"epochs={epochs + bool(rest)}",
        f"batch_size={size}",
        f"optimizer={written(make_optimizer(settings))}",
        *([f"penalty={written(penalty)}"] if penalty else []),
        f"seed={settings.seed}",
        *([f"callbacks=[StopAfter({segment.steps})]"] if rest else []),
    ]
    return f"cr.train({', '.join(arguments)})"
