"""Random networks, exported to ONNX, against onnxruntime and onnx's ReferenceEvaluator.

    python benchmarks/onnx_exports.py [--networks 500]

Prints the largest differences from `predict`, in float32 relative to the largest number of an answer (at least 1).
"""

import argparse
import collections
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
from onnx.reference import ReferenceEvaluator

import chainrule as cr

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from random_networks import random_network


def difference(found, expected):
    """The largest difference, relative to the largest number expected, at least 1."""
    return float(np.abs(found - expected).max(initial=0) / max(1.0, np.abs(expected).max(initial=0)))


def main():
    """Export and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=500)
    count = parser.parse_args().networks
    worst, layers, refused = collections.Counter(), collections.Counter(), collections.Counter()
    onnxruntime.set_default_logger_severity(3)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.onnx")
        for seed in range(count):
            network, x = random_network(seed)
            cr.export.to_onnx(network, path)
            y = network.predict(x)
            layers.update(type(layer).__name__ for layer in network.layers)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            answers = {"onnxruntime": session.run(None, {"x": x})[0]}
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of NumPy, in the evaluator's own arithmetic
                    answers["ReferenceEvaluator"] = ReferenceEvaluator(path).run(None, {"x": x})[0]
            except Exception as error:
                refused[f"{type(error).__name__}: {str(error)[:70]}"] += 1
            for runner, answer in answers.items():
                gap = difference(answer, y)
                worst[runner] = max(worst[runner], gap)
                if gap > 1e-5:
                    print(f"seed {seed}, {runner}: {gap:.1e}  {network}")
    print(f"{count} networks; layers: {dict(layers.most_common())}")
    for runner, gap in worst.items():
        print(f"{runner}: largest difference {gap:.1e}")
    for error, times in refused.items():
        print(f"the ReferenceEvaluator refused {times}: {error}")


if __name__ == "__main__":
    main()
