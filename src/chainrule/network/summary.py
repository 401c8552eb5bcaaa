"""The table that describes a network: as text, in a rich terminal, and as HTML in a notebook."""

from dataclasses import dataclass
from html import escape
from typing import Any

from chainrule.arrays import Shape
from chainrule.layers import Sequential
from chainrule.losses import Loss

HEADINGS = ("Layer", "Output shape", "Parameters")


@dataclass(frozen=True)
class Summary:
    """Rows of (layer, output shape, number of parameters), the loss, and the input shape."""

    rows: tuple[tuple[str, Shape, int], ...]
    loss: str
    input_shape: Shape

    @property
    def parameters(self) -> int:
        """The number of parameters of the whole network."""
        return sum(count for _, _, count in self.rows)

    def _cells(self) -> list[tuple[str, str, str]]:
        return [(layer, _shape(shape), f"{count:,}") for layer, shape, count in self.rows]

    def _caption(self) -> str:
        return f"input {_shape(self.input_shape)}, loss {self.loss}, {self.parameters:,} parameters"

    def __str__(self) -> str:
        cells = [HEADINGS, *self._cells()]
        widths = [max(len(row[column]) for row in cells) for column in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in cells]
        rule = "─" * len(lines[0])
        return "\n".join([lines[0], rule, *lines[1:], rule, self._caption()])

    def __rich__(self) -> Any:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, caption=self._caption(), caption_justify="left")
        for heading in HEADINGS:
            table.add_column(heading, justify="right" if heading == "Parameters" else "left")
        for row in self._cells():
            table.add_row(*row)
        return table

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
        body = "".join(
            f"<tr><td>{escape(a)}</td><td>{escape(b)}</td><td style='text-align:right'>{c}</td></tr>"
            for a, b, c in self._cells()
        )
        return f"<table><caption>{escape(self._caption())}</caption><tr>{head}</tr>{body}</table>"


def summarize(body: Sequential, loss: Loss) -> Summary:
    """The summary of a built network."""
    rows = tuple(
        (f"{position} {type(layer).__name__}", shape, sum(array.size for array in layer.parameters.values()))
        for position, (layer, shape) in enumerate(zip(body.layers, body.shapes[1:], strict=True))
    )
    return Summary(rows, type(loss).__name__, body.shapes[0])


def _shape(shape: Shape) -> str:
    return " × ".join(str(n) for n in shape) or "one number"
