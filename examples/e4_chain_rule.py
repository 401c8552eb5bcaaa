"""Mission E4: the chain rule without indices, ∂L/∂x = Σ over all y that x directly affects of ∂L/∂y · ∂y/∂x.

You see a small graph of quantities. Adding up the products along every path from x to L, however many there are, gives
the same as one sweep backward that visits each arrow once.
"""

import itertools
import math
from collections.abc import Iterator


def L(x: float) -> float:
    """L = b·c + d, where d = a + c², c = a·b, b = sin x, a = x²."""
    a, b = x**2, math.sin(x)
    c = a * b
    return b * c + (a + c**2)


x = 0.7
a, b = x**2, math.sin(x)
c = a * b
SLOPES = {  # arrow from one quantity to another that it directly affects → the derivative of that other
    "xa": 2 * x, "xb": math.cos(x),
    "ac": b, "bc": a,
    "ad": 1, "cd": 2 * c,
    "bL": c, "cL": b, "dL": 1,
}  # fmt: skip


def paths(start: str) -> Iterator[str]:
    """Every path from `start` to L, as a word such as "xacL"."""
    if start == "L":
        yield "L"
    for tail, head in SLOPES:
        if tail == start:
            yield from (start + rest for rest in paths(head))


def backward() -> dict[str, float]:
    """∂L/∂(every quantity), in one sweep from the end: dx = Σ dy · ∂y/∂x over all y that x directly affects."""
    gradient = {"L": 1.0}
    for quantity in "dcbax":  # whatever a quantity affects comes before it
        gradient[quantity] = sum(gradient[y] * slope for (tail, y), slope in SLOPES.items() if tail == quantity)
    return gradient


def main() -> None:
    total = 0.0
    for path in paths("x"):
        product = math.prod(SLOPES[tail + head] for tail, head in itertools.pairwise(path))
        total += product
        print(f"{' → '.join(path):20} {product:9.6f}")
    print(f"{'sum over all paths':20} {total:9.6f}")
    print(f"{'one sweep backward':20} {backward()['x']:9.6f}")
    print(f"{'finite difference':20} {(L(x + 1e-6) - L(x - 1e-6)) / 2e-6:9.6f}")


if __name__ == "__main__":
    main()
