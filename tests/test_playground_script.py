"""The exported program gives the weights of the session, byte for byte; files that are taken home are good."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.playground.building import make_network
from chainrule.playground.data import make_problem, parse_table
from chainrule.playground.pictures import Viewer
from chainrule.playground.script import as_python
from chainrule.playground.settings import parse
from chainrule.playground.take_away import take
from chainrule.playground.trainer import Trainer
from playground_server import unpacked

TABLE = "a,b,kind\n" + "\n".join(f"{i * 0.37},{(i * 7) % 5},{'yes' if i % 3 else 'no'}" for i in range(40))


class Session:
    """A training with its viewer, without a server."""

    def __init__(self, own=None, **given):
        settings = parse(given)
        self.problem = make_problem(settings, own)
        network, _ = make_network(settings, self.problem)
        self.viewer = Viewer(settings, self.problem)
        self.trainer = Trainer(network, self.problem, settings, lambda: None)

    def finish(self):
        """Carry out what was ordered."""
        self.trainer.close()
        assert self.trainer.join(30)
        return self

    def digest(self):
        weights = b"".join(self.trainer.moment.weights[name].tobytes() for name in self.viewer.network.parameters)
        return hashlib.sha256(weights).hexdigest()


def after(orders, own=None, **given):
    session = Session(own, **given)
    for order in orders:
        getattr(session.trainer, order)()
    return session.finish()


@pytest.mark.parametrize(
    ("orders", "given"),
    [
        (["step"] * 13, {"data": "rings"}),
        (["step"] * 3 + ["sample"] * 2 + ["step"], {"data": "blobs", "classes": 4, "l2": 0.1, "dropout": 0.2}),
        (["step", "step", "back", "step"], {"data": "sine", "activation": "relu", "start": "he", "batch": 0}),
        (["step"] * 4, {"data": "digits", "layers": ["c2", "p", "8"], "optimizer": "momentum"}),
        (
            ["step"] * 3,
            {"data": "tickets", "layers": [], "loss": "perceptron", "optimizer": "sgd", "batch": 1},
        ),
        (["step"] * 5, {"data": "drawn", "points": [[0.1, 0.2, 0], [0.5, -0.3, 1], [-0.4, 0.9, 2]] * 4}),
        (["step"] * 5, {"data": "own", "l1": 0.01, "l2": 0.02}),
    ],
    ids=lambda value: value.get("data") if isinstance(value, dict) else "",
)
def test_the_exported_program_gives_the_same_weights(orders, given, tmp_path):
    session = after(orders, parse_table(TABLE), **given)
    script = tmp_path / "script.py"
    script.write_text(as_python(session.viewer, session.trainer.segments))
    result = subprocess.run([sys.executable, "-W", "error", script], capture_output=True, text=True, check=False)
    assert result.stderr.count("Error") == 0, result.stderr
    assert f"digest of the weights: {session.digest()}" in result.stdout


def test_a_run_at_full_speed_is_one_call_of_train(tmp_path):
    session = Session(data="xor", samples=100)
    session.trainer.run(None)
    while session.trainer.moment.steps < 50:
        pass
    session.trainer.pause()
    session.finish()
    (segment,) = session.trainer.segments
    network, _ = make_network(segment.settings, session.problem)

    class Stop(cr.Callback):
        def on_step_end(self, run):
            if run.step == segment.steps:
                run.stop("now")

    cr.train(
        network,
        session.problem.train,
        epochs=10**9,
        batch_size=32,
        optimizer=cr.Adam(0.03),
        callbacks=[Stop()],
        progress=False,
    )
    assert all((network.arrays[name] == W).all() for name, W in session.trainer.moment.weights.items())


def test_the_model_file_holds_the_weights_of_now(tmp_path):
    session = after(["step"] * 3, data="blobs")
    path = tmp_path / "model.safetensors"
    path.write_bytes(unpacked(take(session.viewer, session.trainer, "model"))["content"].tobytes())
    network = cr.load(path)
    assert all((network.arrays[name] == W).all() for name, W in session.trainer.moment.weights.items())
    assert network.metadata["class_names"] == ["A", "B", "C"]


def test_the_onnx_model_answers_like_the_network():
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    session = after(["step"] * 3, data="rings")
    content = unpacked(take(session.viewer, session.trainer, "onnx"))["content"].tobytes()
    onnx.checker.check_model(onnx.load_from_string(content))
    x = session.problem.test[0][:5]
    (answer,) = runtime.InferenceSession(content).run(None, {"x": x})
    np.testing.assert_allclose(answer, session.viewer.network.predict(x), rtol=1e-5, atol=1e-6)


def test_nothing_else_can_be_taken():
    session = after([])
    with pytest.raises(SettingError, match="expected one of"):
        take(session.viewer, session.trainer, "everything")
