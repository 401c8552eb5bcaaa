"""Mission D2: one network fed forward in scalar, vector and matrix notation.

You see x = [0, 1] with all weights 1 and no biases give z = 0.731, 0.731 and p = 0.812, three times by hand and once by
the library.
"""

import numpy as np

import chainrule as cr


def sigmoid(a: np.ndarray | float) -> np.ndarray | float:
    return 1 / (1 + np.exp(-a))


def main() -> None:
    x = [0.0, 1.0]
    W, b = [[1.0, 1.0], [1.0, 1.0]], [0.0, 0.0]  # W[j][i] leads from input i to unit j
    v, c = [1.0, 1.0], 0.0

    z = [sigmoid(sum(W[j][i] * x[i] for i in range(2)) + b[j]) for j in range(2)]  # z_j = σ(Σ_i W_ji x_i + b_j)
    p = sigmoid(sum(v[j] * z[j] for j in range(2)) + c)  # p = σ(Σ_j v_j z_j + c)
    print(f"scalars  z = {z[0]:.3f}, {z[1]:.3f}   p = {p:.3f}")

    W, v = np.array(W), np.array(v)
    z = sigmoid(W @ x + b)
    p = sigmoid(v @ z + c)
    print(f"vectors  z = {z[0]:.3f}, {z[1]:.3f}   p = {p:.3f}")

    X = np.array([x])  # N × D, one sample per row
    Z = sigmoid(X @ W.T + b)  # N × M, with W as D × M
    P = sigmoid(Z @ v[:, None] + c)  # N × 1
    print(f"matrices Z = {Z[0, 0]:.3f}, {Z[0, 1]:.3f}   P = {P[0, 0]:.3f}")

    network = cr.Network([cr.Linear(2), cr.Sigmoid(), cr.Linear(1)], loss=cr.BinaryCrossEntropy()).build((2,))
    for name, parameter in network.parameters.items():
        parameter[...] = 1 if name.endswith("W") else 0
    print(f"library                     p = {network.predict(X)[0, 0]:.3f}")


if __name__ == "__main__":
    main()
