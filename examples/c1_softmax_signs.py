"""Mission C1: softmax, the loss −log p of the true class, and the signs of its gradient.

You see four classes of which the third is true: the gradient p − t is negative there and positive elsewhere. Then the
Jacobian ∂p_i/∂f_k = p_i (δ_ik − p_k), and how it collapses to p − t against ∂L/∂p.
"""

import numpy as np

import chainrule as cr
from chainrule import operations as ops

f = np.array([[1.0, 2.0, 3.0, 0.5]])  # the scores of one sample, four classes
true = 2  # the third class: Python counts from 0


def main() -> None:
    np.set_printoptions(precision=4, suppress=True)
    p = ops.softmax_forward(f)  # e^{f_i} / Σ e^{f_k}
    t = ops.one_hot(np.array([true]), 4)
    print("scores f       ", f[0])
    print("p = softmax(f) ", p[0], " sum", p.sum().round(4))
    print("targets t      ", t[0])
    print("loss −log p₃   ", -np.log(p[0, true]).round(4))
    print("gradient p − t ", (p - t)[0], " negative for the true class alone")

    J = ops.softmax_jacobian(p)[0]  # (4, 4)
    print("\nJacobian ∂p_i/∂f_k, each row summing to", J.sum(axis=1).round(4) + 0)
    print(J)
    dp = -t[0] / p[0]  # ∂L/∂p_i: −1/p₃ for the true class, 0 elsewhere
    print("Σ_i ∂L/∂p_i ∂p_i/∂f_k ", dp @ J, " the Jacobian has collapsed to p − t")

    loss = cr.CrossEntropy()
    print("the library's loss    ", loss.forward(f, np.array([true])).round(4)[0])
    print("the library's gradient", loss.backward(np.ones(1), f, np.array([true]))[0])


if __name__ == "__main__":
    main()
