"""Writes images.json: what PyTorch makes of small images, in float64: outputs and gradients.

    python tests/oracle/images.py     (in an environment that has torch 2.13)

Only this script needs torch. `test_images_oracle.py` puts the same numbers through Chainrule and compares.
"""

import json
import math
from pathlib import Path

import torch
from torch.nn import functional as F  # noqa: N812

TARGET = Path(__file__).with_name("images.json")


def wave(shape, phase):
    """Numbers between −1 and 1 that need no random generator."""
    return torch.tensor([math.sin(1.7 * i * i + phase) for i in range(math.prod(shape))]).double().reshape(shape)


def transposed(x, W, b, stride, padding, output_padding):
    return F.conv_transpose2d(x, W, b, stride, padding, output_padding)


def depthwise(x, W, b, stride, padding):
    return F.conv2d(x, W, b, stride, padding, groups=x.shape[1])


def conv1d(x, W, b, stride, padding):
    return F.conv1d(x, W, b, stride, padding)


def nearest(x, factor):
    return F.interpolate(x, scale_factor=tuple(map(float, factor)), mode="nearest")


def bilinear(x, factor):
    return F.interpolate(x, scale_factor=tuple(map(float, factor)), mode="bilinear", align_corners=False)


def warp(x, spread):
    """grid_sample, at the places that `places` gives; its coordinates run from −1 to 1 and come column first."""
    places = warp_places(x.shape, spread)
    ends = torch.tensor([x.shape[2] - 1, x.shape[3] - 1]).double().reshape(1, 2, 1, 1)
    grid = (2 * places / ends - 1).flip(1).permute(0, 2, 3, 1)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=True)


def warp_places(shape, spread):
    N, _, H, W = shape
    still = torch.stack(torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")).double()
    return still + spread * wave((N, 2, H, W), phase=4.0)


CASES = [  # the function, the shapes of x, W and b, its settings
    (transposed, ((2, 3, 4, 3), (3, 2, 3, 2), (2,)), {"stride": (1, 1), "padding": (0, 0), "output_padding": (0, 0)}),
    (transposed, ((2, 2, 3, 4), (2, 3, 4, 4), (3,)), {"stride": (2, 2), "padding": (1, 1), "output_padding": (0, 0)}),
    (transposed, ((1, 2, 3, 2), (2, 2, 3, 2), (2,)), {"stride": (3, 2), "padding": (1, 0), "output_padding": (2, 1)}),
    (transposed, ((2, 1, 2, 2), (1, 2, 1, 1), (2,)), {"stride": (3, 2), "padding": (0, 0), "output_padding": (1, 0)}),
    (depthwise, ((2, 3, 5, 4), (3, 1, 3, 2), (3,)), {"stride": (1, 1), "padding": (0, 0)}),
    (depthwise, ((2, 2, 6, 5), (6, 1, 3, 3), (6,)), {"stride": (2, 1), "padding": (1, 2)}),
    (conv1d, ((2, 3, 7), (4, 3, 3), (4,)), {"stride": 1, "padding": 0}),
    (conv1d, ((3, 2, 8), (2, 2, 4), (2,)), {"stride": 3, "padding": 2}),
    (nearest, ((2, 3, 3, 2),), {"factor": (2, 3)}),
    (bilinear, ((2, 3, 3, 4),), {"factor": (2, 2)}),
    (bilinear, ((1, 2, 4, 1),), {"factor": (3, 5)}),
    (warp, ((2, 2, 5, 4),), {"spread": 0.4}),
    (warp, ((2, 1, 6, 7),), {"spread": 3.0}),
]


def case(function, shapes, settings):
    given = [wave(shape, phase=1.0 + i).requires_grad_() for i, shape in enumerate(shapes)]
    y = function(*given, **settings)
    gradients = torch.autograd.grad(y, given, wave(y.shape, phase=9.0))
    return {
        "function": function.__name__,
        "settings": settings,
        "given": [array.tolist() for array in given],
        "y": y.tolist(),
        "dy": wave(y.shape, phase=9.0).tolist(),
        "gradients": [gradient.tolist() for gradient in gradients],
    } | ({"places": warp_places(shapes[0], **settings).tolist()} if function is warp else {})


def main():
    found = {"made with": f"PyTorch {torch.__version__}", "cases": [case(*one) for one in CASES]}
    text = json.dumps(found, separators=(",", ":")).replace('{"function"', '\n{"function"')
    TARGET.write_text(text + "\n")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
