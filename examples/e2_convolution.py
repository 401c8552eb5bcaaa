"""Mission E2: what a convolutional network is made of, each function with its definition, numbers and gradients.

You see each function on a few numbers, and its hand-derived gradients beside finite differences. To have one number L
to differentiate, the outputs y are added up with the weights r: L = Σ r y. Then ∂L/∂y = r is what goes backward.
"""

from collections.abc import Callable

import numpy as np

import chainrule as cr
from chainrule import operations as ops

np.set_printoptions(precision=4, suppress=True)

ONE, NO = (1, 1), (0, 0)  # a stride of one row and one column; no padding


def show(title: str, definition: str, **arrays: np.ndarray) -> None:
    print(f"\n{title}:  {definition}")
    for name, array in arrays.items():
        print(f"{name:>8} = {np.array2string(np.squeeze(array), prefix=' ' * 11)}")


def compare(name: str, gradient: np.ndarray, L: Callable[[np.ndarray], float], at: np.ndarray) -> float:
    """Print the gradient of L at `at`, and its distance from the finite differences, which is returned."""
    gap = float(np.abs(gradient - cr.testing.numerical_gradient(L, at)).max())
    text = np.array2string(np.squeeze(gradient), prefix=" " * 11)
    print(f"{'∂L/∂' + name:>8} = {text}   finite differences: within {gap:.0e}")
    return gap


def convolution() -> list[float]:
    x = np.array([[[[1.0, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0]], [[0, 1, 1, 0], [1, 0, 0, 2], [0, 3, 1, 1]]]])
    W = np.array([[[[1.0, 0], [0, -1]], [[0, 2], [1, 0]]]])  # one filter over both channels
    b = np.array([0.5])
    y = ops.convolution_forward(x, W, b, ONE, NO)
    show("convolution", "y[s,oc,i,j] = Σ w[oc,ic,i',j'] x[s,ic,i+i',j+j'] + b[oc]", x=x, w=W, y=y)
    r = np.array([[[[1.0, 0, 2], [-1, 1, 0]]]])
    dx, dW, db = ops.convolution_backward(r, x, W, ONE, NO)
    return [
        compare("x", dx, lambda x: np.sum(r * ops.convolution_forward(x, W, b, ONE, NO)), x),
        compare("w", dW, lambda W: np.sum(r * ops.convolution_forward(x, W, b, ONE, NO)), W),
        compare("b", db, lambda b: np.sum(r * ops.convolution_forward(x, W, b, ONE, NO)), b),
    ]


def linear() -> list[float]:
    x, W, b = np.array([[1.0, 2, -1]]), np.array([[1.0, 0], [2, -1], [0, 3]]), np.array([0.5, -0.5])
    show("linear", "y[s,o] = Σ x[s,i] w[i,o] + b[o]", x=x, w=W, y=ops.linear_forward(x, W, b))
    r = np.array([[1.0, 2]])
    dx, dW, db = ops.linear_backward(r, x, W)
    return [
        compare("x", dx, lambda x: np.sum(r * ops.linear_forward(x, W, b)), x),
        compare("w", dW, lambda W: np.sum(r * ops.linear_forward(x, W, b)), W),
        compare("b", db, lambda b: np.sum(r * ops.linear_forward(x, W, b)), b),
    ]


def relu() -> list[float]:
    x, r = np.array([[-2.0, -0.5, 0.5, 2]]), np.array([[1.0, 2, 3, 4]])
    y = ops.relu_forward(x)
    show("ReLU", "y = max(0, x); passes the gradient where x > 0", x=x, y=y)
    return [compare("x", ops.relu_backward(r, y), lambda x: np.sum(r * ops.relu_forward(x)), x)]


def max_pooling() -> list[float]:
    x, r = np.array([[[[1.0, 5, 2, 0], [3, 4, 8, 6]]]]), np.array([[[[1.0, 2]]]])
    y = ops.max_pool_forward(x, (2, 2), (2, 2))
    show("2×2 max pooling", "y = the largest of four; passes the gradient to where it stood", x=x, y=y)
    dx = ops.max_pool_backward(r, x, (2, 2), (2, 2))
    return [compare("x", dx, lambda x: np.sum(r * ops.max_pool_forward(x, (2, 2), (2, 2))), x)]


def dropout() -> list[float]:
    x, r = np.array([[1.0, 2, 3, 4, 5, 6]]), np.ones((1, 6))
    draw = {"rate": 0.5, "seed": 0, "stream": 0, "step": 3}
    y, mask = ops.dropout_forward(x, **draw)
    show("dropout", "y = x / (1 − rate) where the random mask is 1, else 0; rate = 0.5", x=x, mask=mask, y=y)
    dx = ops.dropout_backward(r, mask, rate=0.5)
    return [compare("x", dx, lambda x: np.sum(r * ops.dropout_forward(x, **draw)[0]), x)]


def softmax() -> list[float]:
    x, r = np.array([[1.0, 2, 0]]), np.array([[1.0, 0, 0]])
    p = ops.softmax_forward(x)
    show("softmax", "p_i = e^x_i / Σ e^x_k;  ∂p_i/∂x_k = p_i (δ_ik − p_k)", x=x, p=p)
    return [compare("x", ops.softmax_backward(r, p), lambda x: np.sum(r * ops.softmax_forward(x)), x)]


def nll() -> list[float]:
    p, t = np.array([[0.2, 0.7, 0.1]]), 2
    L = -np.log(p[0, t])
    dp = np.zeros_like(p)
    dp[0, t] = -1 / p[0, t]
    show("negative log-likelihood", "L = −log p_t;  ∂L/∂p_t = −1 / p_t, the others 0; t = 2", p=p, L=L)
    return [compare("p", dp, lambda p: -np.log(p[0, t]), p)]


def both() -> list[float]:
    x, t, one = np.array([[1.0, 2, 0]]), np.array([2]), np.ones(1)
    L = ops.cross_entropy_forward(x, t)
    show("NLL∘softmax", "L = −x_t + log Σ e^x_i;  ∂L/∂x = softmax(x) − onehot(t); t = 2", x=x, L=L)
    dx = ops.cross_entropy_backward(one, x, t)
    gap = compare("x", dx, lambda x: ops.cross_entropy_forward(x, t)[0], x)
    p = ops.softmax_forward(x)
    through_both = ops.softmax_backward(-ops.one_hot(t, 3) / p, p)  # first through NLL, then through softmax
    print(f"   the same through NLL and softmax, one after the other: within {np.abs(dx - through_both).max():.0e}")
    return [gap]


def main() -> float:
    """Print everything; returns the largest distance from a finite difference."""
    functions = (convolution, linear, relu, max_pooling, dropout, softmax, nll, both)
    return max(gap for function in functions for gap in function())


if __name__ == "__main__":
    main()
