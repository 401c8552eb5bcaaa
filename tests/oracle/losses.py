"""Write losses.json: what PyTorch finds for the losses, sample by sample, in float64.

    python tests/oracle/losses.py

It needs PyTorch, which the tests do not: they read the file. Where PyTorch has no such loss, its autograd
differentiates the formula of the paper, which is then written out here. Sums over the scores of a sample are taken here
wherever PyTorch would average.
"""

import json
from pathlib import Path

import torch
from torch.nn import functional as F  # noqa: N812

TARGET = Path(__file__).with_name("losses.json")
SAMPLES, SCORES = 6, 4
GENERATOR = torch.Generator().manual_seed(0)


def normal(*shape, scale=1.0):
    return scale * torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


SCORES_OF_ALL = normal(SAMPLES, SCORES, scale=2.0)
SLOPES = normal(SAMPLES)  # ∂J/∂L_n
TARGETS = {
    "numbers": normal(SAMPLES, SCORES),
    "counts": torch.tensor([[0, 3, 1, 2], [5, 0, 0, 1], [2, 2, 0, 7], [1, 0, 4, 0], [0, 0, 0, 1], [9, 1, 3, 2]]),
    "answers": torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0], [1, 0, 1, 0], [0, 0, 0, 1]]),
    "shares": torch.rand(SAMPLES, SCORES, generator=GENERATOR, dtype=torch.float64),
    "labels": torch.tensor([2, 0, 3, 1, 1, 2]),
    "rows": normal(SAMPLES, SCORES).softmax(1),
    "rows with zeros": torch.tensor([[0.5, 0.5, 0, 0], [0, 1, 0, 0], [0.25, 0.25, 0.25, 0.25]] * 2).double(),
}
WEIGHTS = [0.5, 2.0, 1.0, 3.5]


def hinge(f, t, margin, power):
    return ((margin - (2 * t - 1) * f).clamp(min=0) ** power).sum(1)


def crammer_singer(f, labels, margin):
    own = F.one_hot(labels, SCORES).bool()
    return (margin + f.masked_fill(own, -torch.inf).amax(1) - f[own]).clamp(min=0)


def weston_watkins(f, labels, margin, power):
    return SCORES * F.multi_margin_loss(f, labels, p=power, margin=margin, reduction="none")  # PyTorch divides by K


def binary_focal(f, t, gamma, alpha=None):
    t = t.double()
    cross_entropy = F.binary_cross_entropy_with_logits(f, t, reduction="none")
    p = t * torch.sigmoid(f) + (1 - t) * torch.sigmoid(-f)
    weight = 1 if alpha is None else alpha * t + (1 - alpha) * (1 - t)
    return (weight * (1 - p) ** gamma * cross_entropy).sum(1)


def focal(f, labels, gamma, alpha=None):
    log_p = F.log_softmax(f, 1)[torch.arange(SAMPLES), labels]
    weight = 1 if alpha is None else torch.tensor(alpha, dtype=torch.float64)[labels]
    return -weight * (1 - log_p.exp()) ** gamma * log_p


def binary(f, t, **settings):
    return F.binary_cross_entropy_with_logits(f, t.double(), reduction="none", **settings).sum(1)


def pos_weight(*values):
    return torch.tensor(values, dtype=torch.float64)


CASES = [  # our loss and its settings, the targets, PyTorch's loss of each sample
    ("SquaredError", {}, "numbers", lambda f, t: F.mse_loss(f, t, reduction="none").sum(1) / 2),
    ("AbsoluteError", {}, "numbers", lambda f, t: F.l1_loss(f, t, reduction="none").sum(1)),
    ("Huber", {}, "numbers", lambda f, t: F.huber_loss(f, t, reduction="none").sum(1)),
    ("Huber", {"delta": 0.3}, "numbers", lambda f, t: F.huber_loss(f, t, reduction="none", delta=0.3).sum(1)),
    ("Huber", {"delta": 2.5}, "numbers", lambda f, t: 2.5 * F.smooth_l1_loss(f, t, reduction="none", beta=2.5).sum(1)),
    ("Poisson", {}, "counts", lambda f, t: F.poisson_nll_loss(f, t, reduction="none").sum(1)),
    ("BinaryCrossEntropy", {}, "answers", binary),
    ("BinaryCrossEntropy", {}, "shares", binary),
    ("BinaryCrossEntropy", {"pos_weight": 3.0}, "answers", lambda f, t: binary(f, t, pos_weight=pos_weight(3))),
    (
        "BinaryCrossEntropy",
        {"pos_weight": WEIGHTS},
        "shares",
        lambda f, t: binary(f, t, pos_weight=pos_weight(*WEIGHTS)),
    ),
    ("CrossEntropy", {}, "labels", lambda f, t: F.cross_entropy(f, t, reduction="none")),
    ("CrossEntropy", {}, "rows", lambda f, t: F.cross_entropy(f, t, reduction="none")),
    *(
        (
            "CrossEntropy",
            {"label_smoothing": share},
            targets,
            lambda f, t, share=share: F.cross_entropy(f, t, reduction="none", label_smoothing=share),
        )
        for targets in ("labels", "rows")
        for share in (0.1, 0.6)
    ),
    *(
        ("KullbackLeibler", {}, targets, lambda f, t: F.kl_div(F.log_softmax(f, 1), t, reduction="none").sum(1))
        for targets in ("rows", "rows with zeros")
    ),
    *(
        ("BinaryFocal", settings, "answers", lambda f, t, settings=settings: binary_focal(f, t, **settings))
        for settings in ({"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 2.0, "alpha": 0.25}, {"gamma": 5.0, "alpha": 0.9})
    ),
    *(
        ("Focal", settings, "labels", lambda f, t, settings=settings: focal(f, t, **settings))
        for settings in ({"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 2.0}, {"gamma": 5.0, "alpha": WEIGHTS})
    ),
    *(
        ("Hinge", settings, "answers", lambda f, t, settings=settings: hinge(f, t, **settings))
        for settings in ({"margin": 1.0, "power": 1}, {"margin": 1.0, "power": 2}, {"margin": 0.3, "power": 1})
    ),
    *(("CrammerSinger", {"margin": m}, "labels", lambda f, t, m=m: crammer_singer(f, t, m)) for m in (1.0, 3.0)),
    *(
        ("WestonWatkins", settings, "labels", lambda f, t, settings=settings: weston_watkins(f, t, **settings))
        for settings in ({"margin": 1.0, "power": 1}, {"margin": 1.0, "power": 2}, {"margin": 0.3, "power": 2})
    ),
]


def case(loss, settings, targets, function):
    f = SCORES_OF_ALL.clone().requires_grad_()
    values = function(f, TARGETS[targets])
    (df,) = torch.autograd.grad(values, f, SLOPES)
    return {"loss": {"class": loss, **settings}, "targets": targets, "values": values.tolist(), "df": df.tolist()}


def descent(steps=100, rate=0.2):
    """Gradient descent on weighted cross-entropy, which PyTorch divides by the sum of the weights."""
    x, labels = normal(SAMPLES, 3), TARGETS["labels"]
    start = [normal(3, 5), normal(5), normal(5, SCORES), normal(SCORES)]
    W1, b1, W2, b2 = parameters = [p.clone().requires_grad_() for p in start]
    costs = []
    for _ in range(steps):
        f = torch.tanh(x @ W1 + b1) @ W2 + b2
        cost = F.cross_entropy(f, labels, weight=torch.tensor(WEIGHTS, dtype=torch.float64))
        costs.append(cost.item())
        for p, slope in zip(parameters, torch.autograd.grad(cost, parameters), strict=True):
            p.data -= rate * slope
    return {
        "x": x.tolist(),
        "rate": rate,
        "start": [p.tolist() for p in start],
        "end": [p.tolist() for p in parameters],
        "costs": costs,
    }


def main():
    given = {"scores": SCORES_OF_ALL.tolist(), "slopes": SLOPES.tolist(), "weights": WEIGHTS}
    targets = {name: values.tolist() for name, values in TARGETS.items()}
    found = {"cases": [case(*one) for one in CASES], "descent": descent()}
    content = {"made with": f"PyTorch {torch.__version__}", **given, "targets": targets, **found}
    TARGET.write_text(json.dumps(content, indent=None, separators=(",", ":")).replace('{"loss"', '\n{"loss"') + "\n")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
