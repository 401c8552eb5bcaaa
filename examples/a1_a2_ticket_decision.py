"""Mission A1 and A2: shall I go to the concert? A perceptron weighs three yes/no facts.

You see the score w·x of all eight cases, the decision "score ≥ threshold" for two thresholds, and that a network with
the bias b = −threshold decides the same.
"""

import itertools

import numpy as np

import chainrule as cr

FACTS = ("cheap ticket", "available", "interested")
WEIGHTS = np.array([1.0, 6.0, 3.0])
CASES = np.array(list(itertools.product((1, 0), repeat=3)))  # (8, 3): 111, 110, …, 000


def decide_by_bias(threshold: float) -> np.ndarray:
    """w·x + b ≥ 0 with b = −threshold: one linear unit whose answer is a step (A2)."""
    network = cr.Network([cr.Linear(1)], loss=cr.Perceptron()).build((3,))
    network.parameters["layers.0.W"][:, 0] = WEIGHTS
    network.parameters["layers.0.b"][0] = -threshold
    return network.predict(CASES)[:, 0].astype(bool)


def main() -> None:
    scores = CASES @ WEIGHTS
    decisions = {threshold: scores >= threshold for threshold in (9, 7)}  # A1

    print("  ".join(FACTS), " score   t = 9   t = 7")
    for case, (facts, score) in enumerate(zip(CASES, scores, strict=True)):
        columns = [f"{fact:^{len(name)}}" for fact, name in zip(facts, FACTS, strict=True)]
        answers = [f"{'go' if decided[case] else '-':>5}" for decided in decisions.values()]
        print("  ".join(columns), f"{score:6.0f}", *answers, sep="   ")

    for threshold, decided in decisions.items():
        same = np.array_equal(decide_by_bias(threshold), decided)
        print(f"a network with bias {-threshold} decides {'the same' if same else 'OTHERWISE'}")


if __name__ == "__main__":
    main()
