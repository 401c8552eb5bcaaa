"""Trainings that are killed (SIGKILL) at random moments and resumed until they end: are the last bytes the same?

python tests/kill_and_resume.py 200     kills so often, over all kinds of training, and reports
"""

import hashlib
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import chainrule as cr

KINDS = ("tape", "convolution", "eager", "L-BFGS", "averages", "statistics")
KILLS = 10  # of one training
LONGEST_LIFE = 0.1  # seconds from the first step to the kill


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 1, 8, 8)).astype(np.float32)
    return x, (x[:, 0, :4].sum(axis=(1, 2)) > x[:, 0, 4:].max(axis=(1, 2))).astype(int)


def layers():
    return [cr.Flatten(), cr.Linear(48), cr.Tanh(), cr.Dropout(0.1), cr.Linear(2)]


class Announce(cr.Callback):
    """Says that the training begins."""

    def on_train_start(self, run):
        print("begins", run.step, flush=True)


def train(kind, checkpoint=None):
    """The digest of all that comes out of a training of this kind."""
    made, optimizer, dtype, callbacks = layers(), cr.Adam(0.003), "float32", [Announce()] if checkpoint else []
    settings = {"epochs": 100, "batch_size": 16, "validation": 0.2}
    if kind == "tape":
        settings |= {"schedule": cr.CosineDecay(), "penalty": cr.L2(0.01), "clip": cr.ClipNorm(1.0)}
        callbacks += [cr.EarlyStopping(patience=1000), cr.ReduceOnPlateau(patience=3)]
    elif kind == "convolution":
        made, optimizer = [cr.Conv2D(8, 3), cr.ReLU(), cr.MaxPool2D(2), *layers()], cr.Nesterov(0.001)
        settings |= {"epochs": 800, "validation": None}
    elif kind == "eager":
        made[2].recordable, optimizer, settings["epochs"] = False, cr.Nadam(0.003), 5
    elif kind == "L-BFGS":
        optimizer, dtype = cr.LBFGS(), "float64"
        settings |= {"batch_size": None, "penalty": cr.L2(0.001, per="none")}
    elif kind == "averages":
        settings |= {"accumulate": 3, "average": 0.99, "epochs": 15}
        callbacks += [cr.EarlyStopping("validation_accuracy", patience=1000)]
    elif kind == "statistics":
        made.insert(2, cr.BatchNorm())
        settings["epochs"] = 50
    network = cr.Network(made, loss=cr.CrossEntropy(), dtype=dtype)
    settings |= {"optimizer": optimizer, "callbacks": callbacks, "progress": False}
    history = cr.train(network, data(), checkpoint=checkpoint, resume=checkpoint is not None, **settings)
    figures = [{name: value for name, value in record.items() if "second" not in name} for record in history.records]
    weights = b"".join(W.tobytes() for W in network.parameters.values())
    return hashlib.sha256(weights + repr((figures, history.stopped)).encode()).hexdigest()


def killed_and_resumed(kind, path, kills, rng):
    """The digest of a training that is killed so often on its way, and the steps from which it was begun each time."""
    begun = []
    while True:
        with subprocess.Popen([sys.executable, __file__, kind, path], stdout=subprocess.PIPE, text=True) as child:
            first = child.stdout.readline()
            if not first:
                raise RuntimeError(f"{kind}: the training could not begin")
            begun.append(int(first.split()[1]))
            if len(begun) <= kills:
                time.sleep(rng.uniform(0, LONGEST_LIFE))
                child.kill()
            digest = child.stdout.read().strip()
        if child.returncode == 0:
            return digest, begun


def main(count):
    rng, total, wrong, rounds = random.Random(0), 0, 0, 0
    expected = {kind: train(kind) for kind in KINDS}
    while total < count:
        kind = KINDS[rounds % len(KINDS)]
        rounds += 1
        with tempfile.TemporaryDirectory() as folder:
            digest, begun = killed_and_resumed(kind, Path(folder, "run.safetensors"), min(KILLS, count - total), rng)
        total += len(begun) - 1
        wrong += digest != expected[kind]
        print(f"{kind:12} begun at steps {begun}: {'same' if digest == expected[kind] else 'OTHER'} bytes", flush=True)
    print(f"{total} kills in {rounds} trainings: {wrong} ended in other bytes")
    return wrong


if __name__ == "__main__":
    if sys.argv[1].isdigit():
        sys.exit(main(int(sys.argv[1])))
    print(train(sys.argv[1], checkpoint=cr.Checkpoint(sys.argv[2], steps=1)))
