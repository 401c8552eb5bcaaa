"""Mission D10: the same network as a plug-and-play script elsewhere, compared number by number.

You see the network as a PyTorch model, and that a script of plain NumPy, which runs without this library, gives the
same answers. Where PyTorch is installed, both are then trained in lock-step, and every weight is compared after each
step.
"""

import importlib.util
import runpy
import tempfile
from pathlib import Path

import chainrule as cr


def main() -> None:
    digits = cr.data.load_digits()
    layers = [cr.Linear(15), cr.Sigmoid(), cr.Linear(10)]
    network = cr.Network(layers, loss=cr.CrossEntropy(), dtype="float64")
    cr.train(network, digits.train, epochs=5, progress=False)
    images, _ = digits.test

    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "network.py"
        cr.export.to_pytorch_script(network, script)
        text = script.read_text()
        print(text[text.index("model = ") : text.index("with np.load")].strip())

        cr.export.to_numpy_script(network, script)
        predict = runpy.run_path(str(script))["predict"]
        print(f"{script.stat().st_size:,} bytes of plain NumPy: {len(images)} answers,", end=" ")
        print(f"largest difference {abs(predict(images) - network.predict(images)).max():.0e}")

    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed here: pip install 'chainrule[pytorch]' to train both in lock-step")
    else:
        print(cr.interop.twin(network, digits.train, "pytorch", steps=100))


if __name__ == "__main__":
    main()
