"""Mission C2: why the loss is a negative logarithm, and what the gradient of a whole batch is.

You see the likelihood ∏_i ∏_j p_j^{t_j} of a batch, its negative logarithm as a sum of losses, the cost
J = (1/m) Σ L, and the batch gradient (1/m) Σ (p − t) found again in a network.
"""

import numpy as np

import chainrule as cr


def main() -> None:
    np.set_printoptions(precision=6, suppress=True)
    x, labels = cr.data.make_blobs(samples=6, seed=0)
    m = len(x)
    network = cr.Network([cr.Linear(3)], loss=cr.CrossEntropy(), dtype="float64").build((2,))

    p = network.predict(x)  # (m, 3)
    t = cr.operations.one_hot(labels, 3)  # (m, 3)
    likelihood = np.prod(p**t)  # p_j where t_j = 1, and 1 where t_j = 0
    losses = -(t * np.log(p)).sum(axis=1)  # (m,)   L = −log p_true
    print("probability of the true class of each sample:", p[np.arange(m), labels])
    print(f"likelihood: their product                     {likelihood:.6f}")
    print(f"its negative logarithm                        {-np.log(likelihood):.6f}")
    print(f"the sum of the losses                         {losses.sum():.6f}")
    print(f"cost J = (1/m) Σ L                            {losses.mean():.6f}")
    print(f"network.evaluate                              {network.evaluate(x, labels)['loss']:.6f}")

    gradients = network.gradients(x, labels)
    print("\n(1/m) Σ (p − t)                ", (p - t).mean(axis=0))
    print("network: ∂J/∂b                 ", gradients["layers.0.b"])
    print("(1/m) Σ x (p − t), by columns  ", *(x.T @ (p - t) / m))
    print("network: ∂J/∂W                 ", *gradients["layers.0.W"])


if __name__ == "__main__":
    main()
