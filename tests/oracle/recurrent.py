"""What PyTorch says about recurrent networks, in float64: writes recurrent.json, which tests/test_recurrent.py reads.

    python tests/oracle/recurrent.py        (needs torch 2.13; the tests do not)

A case holds x, y, the last state, the parameters in our names and layout, and the gradients of Σ r ⊙ y and of
Σ r_last ⊙ last at the input and at every parameter.

PyTorch's weights are (out, in), ours (in, out). It has two biases where ours has one, their sum; in the GRU's candidate
the second stands alone, and is our v. Its gates stand in the order of ours: i, f, g, o and r, z, n.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

N, T, I, H = 3, 5, 2, 2  # noqa: E741
LENGTHS = (5, 1, 3)  # of the sequences that are filled up
FILL = 9.0


def cases():
    """Name → the arrays of a case."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    x = torch.randn(N, T, I)
    found = {
        "tanh": run(nn.RNN(I, H, batch_first=True), x),
        "relu": run(nn.RNN(I, H, batch_first=True, nonlinearity="relu"), x),
        "sigmoid": run(SigmoidRNN(I, H), x),
    }
    for name, kind in {"lstm": nn.LSTM, "gru": nn.GRU}.items():
        found[name] = run(kind(I, H, batch_first=True), x)
        found[f"{name} in both directions"] = run(kind(I, H, batch_first=True, bidirectional=True), x)
        found[f"{name} of unequal lengths"] = run(kind(I, H, batch_first=True), x, LENGTHS)
        both = kind(I, H, batch_first=True, bidirectional=True)
        found[f"{name} of unequal lengths in both directions"] = run(both, x, LENGTHS)
    return found


class SigmoidRNN(nn.Module):
    """Elman's network with σ, which PyTorch has not: a loop of PyTorch's own operations, under nn.RNN's names."""

    bidirectional = False

    def __init__(self, features, hidden):
        super().__init__()
        for name, value in nn.RNN(features, hidden).named_parameters():
            self.register_parameter(name, nn.Parameter(value.detach()))

    def forward(self, x):
        h, states = x.new_zeros(len(x), self.weight_hh_l0.shape[0]), []
        for t in range(x.shape[1]):
            a = x[:, t] @ self.weight_ih_l0.T + self.bias_ih_l0 + h @ self.weight_hh_l0.T + self.bias_hh_l0
            h = torch.sigmoid(a)
            states.append(h)
        return torch.stack(states, dim=1), h


def run(module, x, lengths=None):
    """The arrays of one case. `last` is the last state, of both directions where there are two."""
    x = x.clone()
    for row, length in zip(x, lengths or (), strict=bool(lengths)):
        row[length:] = FILL
    x.requires_grad_()
    if lengths:
        packed, last = module(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        y, _ = pad_packed_sequence(packed, batch_first=True, padding_value=FILL)
    else:
        y, last = module(x)
    last = last[0] if isinstance(last, tuple) else last  # LSTM gives its cells too
    last = last.reshape(-1, N, H).transpose(0, 1).reshape(N, -1)
    r, r_last = torch.randn_like(y), torch.randn_like(last)
    arrays = {"x": x, "y": y, "last": last, "r": r, "r_last": r_last}
    for direction, suffix in {"ahead": "", "back": "_reverse"}.items():
        if not suffix or module.bidirectional:
            arrays |= {f"{direction}.{name}": value for name, value in ours(module, suffix, lambda p: p).items()}
    for way, cost in {"d": (r * y).sum(), "dlast.": (r_last * last).sum()}.items():
        module.zero_grad()
        x.grad = None
        cost.backward(retain_graph=True)
        arrays[f"{way}x"] = x.grad.clone()
        for direction, suffix in {"ahead": "", "back": "_reverse"}.items():
            if not suffix or module.bidirectional:
                gradients = ours(module, suffix, lambda p: p.grad, summed=False)
                arrays |= {f"{way}{direction}.{name}": value.clone() for name, value in gradients.items()}
    return {name: value.detach().tolist() for name, value in arrays.items()}


def ours(module, suffix, of, *, summed=True):
    """W, U, b (and v): of the parameters themselves, or of their gradients, where a sum of biases is not summed."""
    W, U, b, c = (
        of(getattr(module, f"{name}_l0{suffix}")) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    found = {"W": W.T, "U": U.T, "b": b + c if summed else b}
    if isinstance(module, nn.GRU):
        found["b"] = torch.cat([found["b"][: 2 * H], b[2 * H :]])
        found["v"] = c[2 * H :]
    return found


if __name__ == "__main__":
    found = {"made with": f"PyTorch {torch.__version__}"} | cases()
    Path(__file__).with_suffix(".json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
