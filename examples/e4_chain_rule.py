"""Mission E4: the chain rule without indices, ∂L/∂x = Σ over all y that x directly affects of ∂L/∂y · ∂y/∂x.

You see a small graph of quantities. Adding up the products along every path from x to L, however many there are, gives
the same as one sweep backward that visits each arrow once.
"""

import math
from collections.abc import Iterator

# x → a = x², b = sin x;  a, b → c = a·b;  a, c → d = a + c²;  b, c, d → L = b·c + d
x = 0.7
a, b = x**2, math.sin(x)
c = a * b
d = a + c**2

SLOPES = {  # arrow → the derivative of its end with respect to its start
    ("x", "a"): 2 * x,
    ("x", "b"): math.cos(x),
    ("a", "c"): b,
    ("b", "c"): a,
    ("a", "d"): 1,
    ("c", "d"): 2 * c,
    ("b", "L"): c,
    ("c", "L"): b,
    ("d", "L"): 1,
}


def paths(start: str) -> Iterator[str]:
    """Every path from `start` to L, as a word such as "xacL"."""
    if start == "L":
        yield "L"
    for tail, head in SLOPES:
        if tail == start:
            yield from (start + rest for rest in paths(head))


def backward() -> dict[str, float]:
    """∂L/∂(every quantity), in one sweep from the end: dx = Σ dy · ∂y/∂x."""
    gradient = {"L": 1.0}
    for name in "dcbax":  # whatever a quantity affects comes before it
        gradient[name] = sum(gradient[y] * slope for (tail, y), slope in SLOPES.items() if tail == name)
    return gradient


def main() -> None:
    total = 0.0
    for path in paths("x"):
        product = math.prod(SLOPES[arrow] for arrow in zip(path, path[1:], strict=False))
        total += product
        print(f"{' → '.join(path):20} {product:9.6f}")
    print(f"{'sum of all paths':20} {total:9.6f}")
    print(f"{'one sweep backward':20} {backward()['x']:9.6f}")

    def L(x: float) -> float:
        c = x**2 * math.sin(x)
        return math.sin(x) * c + x**2 + c**2

    print(f"{'finite difference':20} {(L(x + 1e-6) - L(x - 1e-6)) / 2e-6:9.6f}")


if __name__ == "__main__":
    main()
