"""Writes optimizers.json: what PyTorch makes of the small problem below in 100 steps, in float64.

    python tests/oracle/optimizers.py     (in an environment that has torch 2.13)

Only this script needs torch. `test_optimizers_oracle.py` takes the same steps with Chainrule and compares.
"""

import json
import math
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch.optim import lr_scheduler

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

SHAPES = {"layers.0.W": (3, 5), "layers.0.b": (5,), "layers.2.W": (5, 2), "layers.2.b": (2,)}
SAMPLES, BATCH, STEPS = 12, 3, 100


def wave(*shape, phase):
    """Numbers between −1 and 1 that need no random generator."""
    count = math.prod(shape)
    return torch.tensor([math.sin(1.7 * i * i + phase) for i in range(count)]).reshape(shape)


X, LABELS = wave(SAMPLES, 3, phase=1.0), torch.tensor([i % 2 for i in range(SAMPLES)])


def start():
    return {name: wave(*shape, phase=2.0 + i).requires_grad_() for i, (name, shape) in enumerate(SHAPES.items())}


def loss(w, x, labels):
    h = torch.tanh(x @ w["layers.0.W"] + w["layers.0.b"])
    return cross_entropy(h @ w["layers.2.W"] + w["layers.2.b"], labels)


def weights_of(w):
    return [w["layers.0.W"], w["layers.2.W"]]


def biases_of(w):
    return [w["layers.0.b"], w["layers.2.b"]]


def trained(make, penalty=lambda w: 0.0, clip=lambda parameters: None, schedule=lambda optimizer: None):
    """The parameters after 100 steps in batches of 3, in order."""
    w = start()
    optimizer = make(w)
    rates = schedule(optimizer)
    for step in range(STEPS):
        rows = slice(step * BATCH % SAMPLES, step * BATCH % SAMPLES + BATCH)
        optimizer.zero_grad()
        (loss(w, X[rows], LABELS[rows]) + penalty(w)).backward()
        clip(list(w.values()))
        optimizer.step()
        if rates:
            rates.step()
    return {name: value.detach().flatten().tolist() for name, value in w.items()}


def of(cls, *, weights_only=None, **settings):
    """An optimizer of all parameters; the settings `weights_only` are for the weights and not for the biases."""
    if weights_only is None:
        return lambda w: cls(w.values(), **settings)
    off = dict.fromkeys(weights_only, 0.0)
    return lambda w: cls([{"params": weights_of(w), **weights_only}, {"params": biases_of(w), **off}], **settings)


def elastic(l1, l2):
    return lambda w: sum(l1 * W.abs().sum() + l2 / 2 * (W * W).sum() for W in weights_of(w))


def clip_norm(limit):
    """torch.nn.utils.clip_grad_norm_ without the 1e-6 that it adds to the norm."""

    def clip(parameters):
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters])
        torch.nn.utils.clip_grads_with_norm_(parameters, limit, torch.clamp(norm, min=limit) - 1e-6)

    return clip


def clip_value(limit):
    return lambda parameters: torch.nn.utils.clip_grad_value_(parameters, limit)


def warm_up_and_cosine(optimizer):
    up = lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=20)
    down = lr_scheduler.CosineAnnealingLR(optimizer, T_max=80, eta_min=0.1 * 0.05)
    return lr_scheduler.SequentialLR(optimizer, [up, down], milestones=[20])


SGD = of(torch.optim.SGD, lr=0.1)
TRAININGS = {
    "sgd": trained(SGD),
    "momentum": trained(of(torch.optim.SGD, lr=0.05, momentum=0.8)),
    "nesterov": trained(of(torch.optim.SGD, lr=0.05, momentum=0.8, nesterov=True)),
    "adam": trained(of(torch.optim.Adam, lr=0.01, betas=(0.8, 0.95), eps=1e-6)),
    "adagrad": trained(of(torch.optim.Adagrad, lr=0.1, eps=1e-8)),
    "rmsprop": trained(of(torch.optim.RMSprop, lr=0.01, alpha=0.9, eps=1e-6)),
    "rmsprop centered": trained(of(torch.optim.RMSprop, lr=0.01, alpha=0.9, eps=1e-6, centered=True)),
    "adadelta": trained(of(torch.optim.Adadelta, lr=0.7, rho=0.9, eps=1e-5)),
    "adamw": trained(of(torch.optim.AdamW, lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)),
    "adamw of weights": trained(
        of(torch.optim.AdamW, lr=0.01, betas=(0.8, 0.95), eps=1e-6, weights_only={"weight_decay": 0.1})
    ),
    "nadam": trained(of(torch.optim.NAdam, lr=0.01, betas=(0.8, 0.95), eps=1e-6, momentum_decay=0.02)),
    "weight decay": trained(of(torch.optim.SGD, lr=0.1, weights_only={"weight_decay": 0.03})),
    "weight decay in adam": trained(of(torch.optim.Adam, lr=0.01, weights_only={"weight_decay": 0.03})),
    "l1": trained(SGD, penalty=elastic(0.02, 0.0)),
    "elastic": trained(SGD, penalty=elastic(0.01, 0.03)),
    "clip norm": trained(SGD, clip=clip_norm(0.1)),
    "clip value": trained(SGD, clip=clip_value(0.02)),
    "step decay": trained(SGD, schedule=lambda o: lr_scheduler.StepLR(o, step_size=40, gamma=0.3)),
    "exponential decay": trained(SGD, schedule=lambda o: lr_scheduler.ExponentialLR(o, gamma=0.9**0.25)),
    "cosine decay": trained(SGD, schedule=lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=100, eta_min=0.1 * 0.05)),
    "warm-up and cosine": trained(SGD, schedule=warm_up_and_cosine),
}


def lbfgs(steps):
    """The cost after so many steps on all samples, with a penalty so that the minimum is one point."""
    w = start()
    settings = {"history_size": 5, "tolerance_grad": 1e-12, "tolerance_change": 0.0, "line_search_fn": "strong_wolfe"}
    optimizer = torch.optim.LBFGS(w.values(), lr=1.0, max_iter=steps, max_eval=10**6, **settings)

    def closure():
        optimizer.zero_grad()
        cost = loss(w, X, LABELS) + elastic(0.0, 0.01)(w)
        cost.backward()
        return cost

    if steps:
        optimizer.step(closure)
    return closure().item()


def plateau(figures):
    """The rate in each epoch, when the figure at the end of epoch i is figures[i]."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, threshold=0.0, min_lr=0.1)
    rates = []
    for figure in figures:
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step(figure)
    return rates


FIGURES = [5.0, 4.0, 4.1, 4.2, 4.3, 4.0, 3.9, 3.9, 3.95, 3.99, 3.8, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]

if __name__ == "__main__":
    oracle = {
        "torch": torch.__version__,
        "x": X.flatten().tolist(),
        "labels": LABELS.tolist(),
        "start": {name: value.detach().flatten().tolist() for name, value in start().items()},
        "trainings": TRAININGS,
        "lbfgs": {"first steps": [lbfgs(steps) for steps in range(8)], "minimum": lbfgs(1000)},
        "plateau": {"figures": FIGURES, "rates": plateau(FIGURES)},
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(oracle, indent=1) + "\n")
