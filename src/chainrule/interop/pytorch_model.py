"""A network in PyTorch, as its exported script makes it, with an optimizer of PyTorch's."""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path
from typing import Any

from chainrule import optimizers
from chainrule.arrays import Array
from chainrule.errors import MissingExtraError, SettingError
from chainrule.export import to_pytorch_script
from chainrule.export.pytorch_script import pytorch_model
from chainrule.network import Network
from chainrule.regularizers import Penalty


class PyTorchModel:
    """The model of `to_pytorch_script`, which trains on. `samples` is how many a penalty may be divided by."""

    def __init__(
        self, network: Network, optimizer: optimizers.Optimizer, penalty: Penalty | None, samples: int
    ) -> None:
        try:
            import torch
        except ImportError:
            raise MissingExtraError("PyTorch", "pytorch", "a twin in PyTorch") from None
        self.name = f"PyTorch {torch.__version__}"
        self.carried = pytorch_model(network).carried
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "twin.py"
            to_pytorch_script(network, path)
            script = runpy.run_path(str(path))
        self._model, self._cost = script["model"].train(), script["cost"]
        self._l1, self._l2 = penalty.scales(network.parameters, samples) if penalty else (0.0, 0.0)
        everything = [W for W in self._model.parameters() if W.requires_grad]
        self._penalised = [W for W in everything if penalty and (penalty.biases or W.ndim > 1)]
        self._optimizer = _optimizer(optimizer, everything)

    def step(self, x: Array, t: Array) -> None:
        """One step of its optimizer on one batch."""
        import torch

        self._optimizer.zero_grad()
        J = self._cost(self._model(torch.from_numpy(x)), torch.from_numpy(t))
        for W in self._penalised:
            J = J + self._l1 * W.abs().sum() + self._l2 / 2 * (W * W).sum()
        J.backward()
        self._optimizer.step()

    def arrays(self) -> dict[str, Array]:
        """Its state_dict, as NumPy arrays."""
        return {name: array.numpy() for name, array in self._model.state_dict().items()}

    def close(self) -> None:
        """Nothing of PyTorch's was changed."""


def _optimizer(ours: Any, parameters: list[Any]) -> Any:
    """PyTorch's optimizer of the same formula and settings. Raises SettingError where there is none."""
    from torch import optim

    rate = ours.learning_rate
    kind = type(ours)
    if kind is optimizers.SGD:
        return optim.SGD(parameters, lr=rate)
    if kind in (optimizers.Momentum, optimizers.Nesterov):
        return optim.SGD(parameters, lr=rate, momentum=ours.momentum, nesterov=kind is optimizers.Nesterov)
    if kind is optimizers.Adagrad:
        return optim.Adagrad(parameters, lr=rate, eps=ours.epsilon)
    if kind is optimizers.RMSprop:
        return optim.RMSprop(parameters, lr=rate, alpha=ours.decay, eps=ours.epsilon, centered=ours.centered)
    if kind is optimizers.Adadelta:
        return optim.Adadelta(parameters, lr=rate, rho=ours.decay, eps=ours.epsilon)
    if kind is optimizers.Adam:
        return optim.Adam(parameters, lr=rate, betas=(ours.beta1, ours.beta2), eps=ours.epsilon)
    if kind is optimizers.AdamW:
        decayed = [W for W in parameters if ours.biases or W.ndim > 1]
        others = [W for W in parameters if not (ours.biases or W.ndim > 1)]
        groups = [{"params": decayed, "weight_decay": ours.weight_decay}, {"params": others, "weight_decay": 0.0}]
        return optim.AdamW(groups, lr=rate, betas=(ours.beta1, ours.beta2), eps=ours.epsilon)
    if kind is optimizers.Nadam:
        betas = (ours.beta1, ours.beta2)
        return optim.NAdam(parameters, lr=rate, betas=betas, eps=ours.epsilon, momentum_decay=ours.momentum_decay)
    raise SettingError(f"optimizer: PyTorch has none with the formula of {kind.__name__}; use SGD, Momentum or Adam")
