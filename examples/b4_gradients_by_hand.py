"""Mission B4: the gradients of the digit network 784–15–10, one weight at a time.

You see the hand-derived formulas written as loops over units for one image, against network.gradients. What several
formulas share is worked out once and kept: that is dynamic programming, and all there is to back-propagation.
"""

import numpy as np

import chainrule as cr


def gradients_by_hand(network: cr.Network, x: np.ndarray, label: int) -> dict[str, np.ndarray]:
    """∂L/∂(every parameter) for one image x (784,), index by index."""
    W, b, W_hat, b_hat = network.parameters.values()
    g = x @ W + b
    h = 1 / (1 + np.exp(-g))
    f = h @ W_hat + b_hat
    o = np.exp(f) / np.exp(f).sum()
    t = np.arange(10) == label  # one-hot

    dW, db, dW_hat, db_hat = (np.zeros_like(p) for p in (W, b, W_hat, b_hat))
    error = o - t  # ∂L/∂f_k = o_k − t_k, used by everything below
    for k in range(10):
        db_hat[k] = error[k]
        for unit in range(15):
            dW_hat[unit, k] = error[k] * h[unit]  # (o_k − t_k) h_l
    for k in range(15):
        blame = sum(error[i] * W_hat[k, i] for i in range(10)) * h[k] * (1 - h[k])  # ∂L/∂g_k, kept for all pixels
        db[k] = blame
        for pixel in range(784):
            dW[pixel, k] = blame * x[pixel]  # [Σ_i (o_i − t_i) ŵ_ik] σ(g_k) (1 − σ(g_k)) x_l
    return dict(zip(network.parameters, (dW, db, dW_hat, db_hat), strict=True))


def main() -> None:
    network = cr.Network([cr.Linear(15), cr.Sigmoid(), cr.Linear(10)], loss=cr.CrossEntropy(), dtype="float64")
    x, label = np.random.default_rng(0).random(784), 3
    network.build(x.shape)

    by_hand = gradients_by_hand(network, x, label)
    by_network = network.gradients(x[None], [label])
    for name, gradient in by_hand.items():
        gap = np.abs(gradient - by_network[name]).max()
        print(f"{name:12} {gradient.size:6,} derivatives, largest {np.abs(gradient).max():.4f}, difference {gap:.0e}")


if __name__ == "__main__":
    main()
