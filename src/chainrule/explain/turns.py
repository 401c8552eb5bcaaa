"""Loops: the first and the last turn are shown, those between are folded."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.explain.statements import Statement


def folded(statements: tuple[Statement, ...]) -> Iterator[Statement | str]:
    """The statements, where each run of loop turns keeps its first and last, with a line of text for the others."""
    turns = list(dict.fromkeys(s.turn for s in statements if s.turn))
    hidden = set(turns[1:-1])
    said = False
    for statement in statements:
        if statement.turn not in hidden:
            yield statement
        elif not said:
            said = True
            yield f"… {len(hidden)} more turn{'s' if len(hidden) > 1 else ''} like it …"
