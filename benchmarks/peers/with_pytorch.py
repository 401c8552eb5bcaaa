"""PyTorch on the CPU, tensors in memory and no DataLoader.

python -m benchmarks.peers.with_pytorch W3 --variant channels-last

eager            the usual way
fused            the optimizer's fused form
channels-last    the same, images pixel by pixel
compiled         torch.compile of forward pass and loss; fused optimizer; images pixel by pixel where there are any
compiled step    forward, backward and update as one compiled graph
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from benchmarks.common import THREADS, WORKLOADS, StepByStep, Workload, load, main, mnist
from torch import nn
from torch.func import functional_call, grad_and_value
from torch.nn import functional

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh}


class LastState(nn.Module):
    """A tanh RNN, of which only the last state goes out."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, hidden, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.rnn(x)[1][0]


def network(name: str) -> nn.Sequential:
    """The network of a workload."""
    workload = WORKLOADS[name]
    if name == "W3":
        layers = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)]
        layers += [nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)]
    elif name == "W4":
        layers = [nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
    elif workload.recurrent:
        features, hidden, classes = workload.sizes
        layers = [nn.Unflatten(1, (-1, features)), LastState(features, hidden), nn.Linear(hidden, classes)]
    else:
        layers = []
        for i, o in zip(workload.sizes[:-2], workload.sizes[1:-1], strict=True):
            layers += [nn.Linear(i, o), ACTIVATIONS[workload.activation]()]
            layers += [nn.Dropout(workload.dropout)] if workload.dropout else []
        layers += [nn.Linear(*workload.sizes[-2:])]
    return nn.Sequential(*layers)


def optimizer(workload: Workload, parameters: Any, *, fused: bool) -> torch.optim.Optimizer:
    """The optimizer of a workload."""
    settings = {"lr": workload.rate, "fused": fused or None}
    if workload.optimizer == "adam":
        return torch.optim.Adam(parameters, **settings)
    return torch.optim.SGD(parameters, momentum=0.9 if workload.optimizer == "momentum" else 0.0, **settings)


class Network(StepByStep):
    """A workload in training."""

    def __init__(self, name: str, workload: Workload, variant: str, x: Any, y: Any) -> None:
        self.images_by_pixel = workload.convolutional and variant in ("channels-last", "compiled")
        self.loss = functional.cross_entropy
        if workload.data == "disc":
            y, self.loss = y.float()[:, None], functional.binary_cross_entropy_with_logits
        super().__init__(workload, x, y, lambda tensor, rows: tensor[rows])
        self.ready = [(self.arranged(x), y) for x, y in self.ready]
        self.network = network(name)
        if self.images_by_pixel:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.forward = self.network_and_loss
        if variant == "compiled":
            self.forward = torch.compile(self.forward)
        if variant == "compiled step":
            self.step = _compiled_step(workload, self.network, self.loss)
        else:
            self.optimizer = optimizer(workload, self.network.parameters(), fused=variant != "eager")

    def network_and_loss(self, x: Any, y: Any) -> Any:
        """The mean loss of a batch."""
        return self.loss(self.network(x), y)

    def step(self, x: Any, y: Any) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.forward(self.arranged(x), y).backward()
        self.optimizer.step()

    def arranged(self, x: Any) -> Any:
        """A batch in the order of axes that the network wants; what is in it already stays as it is."""
        return x.contiguous(memory_format=torch.channels_last) if self.images_by_pixel else x

    def order(self) -> Any:
        return torch.randperm(len(self.x))

    def cost(self, x: Any, y: Any) -> float:
        self.network.eval()
        y = torch.from_numpy(y)
        with torch.inference_mode():
            answer = self.network(_shaped(x, self.workload))
            return float(self.loss(answer, y.float()[:, None] if self.workload.data == "disc" else y))


def _compiled_step(workload: Workload, network: nn.Module, loss: Callable[..., Any]) -> Callable[[Any, Any], None]:
    """One graph for the whole step, which changes the network's own parameters."""
    parameters = {name: parameter.detach() for name, parameter in network.named_parameters()}
    means, squares = ({name: torch.zeros_like(W) for name, W in parameters.items()} for _ in range(2))
    taken = torch.zeros(())
    cost_and_gradients = grad_and_value(lambda W, x, y: loss(functional_call(network, W, (x,)), y))

    def step(W: Any, m: Any, s: Any, t: Any, x: Any, y: Any) -> None:
        dW, _ = cost_and_gradients(W, x, y)
        t += 1
        for name in W:
            if workload.optimizer == "sgd":
                W[name].sub_(dW[name], alpha=workload.rate)
                continue
            m[name].lerp_(dW[name], 0.1)
            s[name].lerp_(dW[name] ** 2, 0.001)
            root = (s[name] / (1 - 0.999**t)).sqrt() + 1e-8
            W[name].sub_(workload.rate * (m[name] / (1 - 0.9**t)) / root)

    compiled = torch.compile(step)

    def without_recording(x: Any, y: Any) -> None:
        with torch.no_grad():
            compiled(parameters, means, squares, taken, x, y)

    return without_recording


def _shaped(x: Any, workload: Workload) -> torch.Tensor:
    rows = torch.from_numpy(x)
    return rows.reshape(-1, 1, 28, 28) if workload.convolutional else rows


def training(name: str, workload: Workload, variant: str) -> tuple[Network, int]:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    x, y = load(workload)
    return Network(name, workload, variant, _shaped(x, workload), torch.from_numpy(y)), len(x)


def prediction(name: str, variant: str) -> Callable[[int], Any]:
    torch.set_num_threads(THREADS)
    torch.inference_mode().__enter__()
    x = _shaped(mnist("t10k")[0][:512], WORKLOADS[name])
    made = nn.Sequential(network(name), nn.Softmax(1)).eval()
    if variant == "compiled":
        made = torch.compile(made)
    return lambda i: made(x[i : i + 1])


if __name__ == "__main__":
    main("PyTorch", ("eager", "fused", "channels-last", "compiled", "compiled step"), training, prediction)
