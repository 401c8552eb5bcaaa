"""Results that show themselves as a table: as text, in a rich terminal, and as HTML in a notebook."""

from html import escape
from typing import Any, NamedTuple

from chainrule.errors import MissingExtraError


class Table(NamedTuple):
    """Headings, rows of as many cells, and what stands below."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str


class Tabled:
    """Base of such results. A subclass writes `table`, and `records` for pandas."""

    def table(self) -> Table:
        """What is shown."""
        raise NotImplementedError

    def records(self) -> list[dict[str, Any]]:
        """One dictionary for each row of `to_frame`."""
        raise NotImplementedError

    def to_frame(self) -> Any:
        """All figures as a pandas DataFrame. Raises MissingExtraError without pandas."""
        try:
            import pandas
        except ImportError:
            raise MissingExtraError("pandas", "pandas", f"{type(self).__name__}.to_frame()") from None
        return pandas.DataFrame(self.records())

    def __str__(self) -> str:
        headings, rows, caption = self.table()
        columns = list(zip(headings, *rows, strict=True))
        widths = [max(map(len, column)) for column in columns]
        right = [_numbers(column[1:]) for column in columns]
        lines = [
            "  ".join(
                cell.rjust(width) if at_right else cell.ljust(width)
                for cell, width, at_right in zip(row, widths, right, strict=True)
            ).rstrip()
            for row in (headings, *rows)
        ]
        rule = "─" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:], rule, caption])

    def __rich__(self) -> Any:
        from rich import box
        from rich.console import Group
        from rich.table import Table as RichTable
        from rich.text import Text

        headings, rows, caption = self.table()
        table = RichTable(box=box.SIMPLE_HEAD)
        for heading, *cells in zip(headings, *rows, strict=True):
            table.add_column(Text(heading), justify="right" if _numbers(cells) else "left")
        for row in rows:
            table.add_row(*map(Text, row))
        return Group(table, Text(caption))  # a caption of the table would be no wider than the table

    def _repr_html_(self) -> str:
        headings, rows, caption = self.table()
        head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        below = escape(caption).replace("\n", "<br>")
        return f"<table><caption style='caption-side: bottom'>{below}</caption><tr>{head}</tr>{body}</table>"


def _numbers(cells: Any) -> bool:
    """Whether a column holds nothing but numbers and gaps."""
    return all(cell == "" or _is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def four_digits(number: float) -> str:
    """A score as tables show it."""
    return f"{number:.4f}" if 1e-4 <= abs(number) < 1e5 or number == 0 else f"{number:.2e}"


def in_words(score: str) -> str:
    """The name of a score as tables and sentences write it."""
    return "R²" if score == "r_squared" else score


def shown(value: Any) -> str:
    """A setting as tables show it."""
    if isinstance(value, float):
        return f"{value:g}"
    return getattr(value, "__qualname__", None) or str(value)
