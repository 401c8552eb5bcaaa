"""What PyTorch does not have, as a PyTorch script needs it: written out there, word for word.

They are texts, as PyTorch need not be installed where they are written.
"""

PARTS = {
    "Step": '''\
class Step(nn.Module):
    """y = 1 where x ≥ 0, else 0."""

    def forward(self, x):
        return (x >= 0).to(x.dtype)
''',
    "HardSigmoid": '''\
class HardSigmoid(nn.Module):
    """y = x/6 + ½, held within 0 and 1. (nn.Hardsigmoid has its kinks at the same places, and rounds otherwise.)"""

    def forward(self, x):
        return (x / 6 + 0.5).clamp(0, 1)
''',
    "GaussianNoise": '''\
class GaussianNoise(nn.Module):
    """In training y = x + deviation · z with z ~ N(0, 1); in prediction y = x."""

    def __init__(self, deviation):
        super().__init__()
        self.deviation = deviation

    def forward(self, x):
        return x + self.deviation * torch.randn_like(x) if self.training else x
''',
    "Maxout": '''\
class Maxout(nn.Module):
    """y_o = the largest of the features o·pieces … o·pieces + pieces − 1; of images, the channels compete."""

    def __init__(self, pieces):
        super().__init__()
        self.pieces = pieces

    def forward(self, x):
        return x.unflatten(1, (-1, self.pieces)).amax(dim=2)
''',
    "Words": '''\
class Words(nn.Embedding):
    """An embedding whose words come as floats, as all samples do."""

    def forward(self, x):
        return super().forward(x.long())
''',
    "Residual": '''\
class Residual(nn.Sequential):
    """y = x + what the layers make of x."""

    def forward(self, x):
        return x + super().forward(x)
''',
    "Sum": '''\
class Sum(nn.ModuleList):
    """The same x goes into every module; y is the sum of what they give."""

    def forward(self, x):
        return sum(module(x) for module in self)
''',
    "Concatenate": '''\
class Concatenate(nn.ModuleList):
    """The same x goes into every module; y is all that they give, side by side."""

    def forward(self, x):
        return torch.cat([module(x) for module in self], dim=1)
''',
    "EachStep": '''\
class EachStep(nn.Module):
    """The same module for each step, (N, T, I) → (N, T, O)."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.flatten(0, 1)).unflatten(0, x.shape[:2])
''',
    "SigmoidRNN": '''\
class SigmoidRNN(nn.Module):
    """h(t) = σ(x(t) W + h(t−1) U + b), which nn.RNN has for tanh and ReLU alone; gives what nn.RNN gives."""

    def __init__(self, inputs, hidden):
        super().__init__()
        self.W = nn.Parameter(torch.empty(inputs, hidden))
        self.U = nn.Parameter(torch.empty(hidden, hidden))
        self.b = nn.Parameter(torch.empty(hidden))

    def forward(self, x):
        h, states = x.new_zeros(len(x), len(self.U)), []
        for x_t in x.unbind(dim=1):
            h = torch.sigmoid(x_t @ self.W + h @ self.U + self.b)
            states.append(h)
        return torch.stack(states, dim=1), h[None]
''',
    "EveryState": '''\
class EveryState(nn.Module):
    """All states of recurrent cells, (N, T, I) → (N, T, H)."""

    def __init__(self, cells):
        super().__init__()
        self.cells = cells

    def forward(self, x):
        return self.cells(x)[0]
''',
    "LastState": '''\
class LastState(nn.Module):
    """The state of recurrent cells after they have read everything, (N, T, I) → (N, H)."""

    def __init__(self, cells):
        super().__init__()
        self.cells = cells

    def forward(self, x):
        _, last = self.cells(x)
        h = last[0] if isinstance(last, tuple) else last  # an LSTM has its cell beside it
        return h.transpose(0, 1).flatten(1)  # (directions, N, H) → (N, directions · H)
''',
    "one_bias": '''\
def one_bias(cells):
    """PyTorch adds two biases where one would do: the second stays 0, in training too."""
    for name, bias in cells.named_parameters():
        if name.startswith("bias_hh"):
            bias.requires_grad_(False)
    return cells
''',
    "one_bias_but_for_n": '''\
def one_bias_but_for_n(cells):
    """PyTorch adds two biases where one would do, but for n of a GRU: of the second, the parts of r and z stay 0."""
    H = cells.hidden_size
    for name, bias in cells.named_parameters():
        if name.startswith("bias_hh"):
            bias.register_hook(lambda slope: torch.cat([torch.zeros_like(slope[: 2 * H]), slope[2 * H :]]))
    return cells
''',
}
