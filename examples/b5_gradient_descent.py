"""Mission B5: gradient descent on a cost of two variables, C(v₁, v₂) = ½ v₁² + 3 v₂².

You see the path v ← v − λ∇C on the surface and on its contours, how well ∇C·Δv foretells the change ΔC of the cost,
and that of 10,000 random directions none descends as steeply as −∇C, as Cauchy and Schwarz say.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

import chainrule as cr

START, RATE, STEPS = np.array([-4.0, 1.5]), 0.27, 16
LIMITS = (-4.5, 1.0, -2.2, 2.2)  # of v₁ and v₂ in the picture


def cost(v1: np.ndarray, v2: np.ndarray) -> np.ndarray:
    return v1**2 / 2 + 3 * v2**2


def gradient(v: np.ndarray) -> np.ndarray:
    return np.array([v[0], 6 * v[1]])  # ∂C/∂v₁, ∂C/∂v₂


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default="b5_gradient_descent.png", help="where the picture goes")
    output = parser.parse_args().output

    for size in (0.1, 0.01, 0.001):
        step = size * np.array([0.6, 0.8])
        change, foretold = cost(*(START + step)) - cost(*START), gradient(START) @ step
        print(f"|Δv| = {size:<6g} ΔC = {change:9.6f}   ∇C·Δv = {foretold:9.6f}   apart by {change / foretold - 1:7.3%}")

    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 10_000)
    slopes = gradient(START) @ np.array([np.cos(angles), np.sin(angles)])  # ∇C·d for directions |d| = 1
    steepest = -np.linalg.norm(gradient(START))  # for d = −∇C/|∇C|
    print(f"slope along −∇C: {steepest:.6f}; the steepest of 10,000 random directions: {slopes.min():.6f}")

    path = [START]
    for _ in range(STEPS):
        path.append(cr.operations.sgd_update(path[-1], gradient(path[-1]), RATE))  # v ← v − λ∇C
    print(f"cost {cost(*path[0]):.3f} → {cost(*path[-1]):.5f} in {STEPS} steps")
    figure = Figure(figsize=(12, 5), layout="constrained")
    surface, contours = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)
    cr.plots.descent_surface(cost, path, limits=LIMITS, ax=surface)
    surface.set(zticks=[0, 10, 20], zlabel="", title="cost C(v₁, v₂)")
    cr.plots.descent_path(cost, path, limits=LIMITS, ax=contours)
    contours.set_aspect("equal")  # so that a step leaves its contour at a right angle, as the gradient does
    figure.savefig(output)
    print(f"drawn: {output}")


if __name__ == "__main__":
    main()
