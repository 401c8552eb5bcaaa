"""A trained network for other programs: an ONNX model, or a script for NumPy, PyTorch or Keras.

    cr.export.to_onnx(network, "digits.onnx")

Each target has a table of words, by the classes of layers and losses; see `chainrule.export.words`.
"""

from chainrule.export.keras_script import keras_layers, keras_losses, to_keras_script
from chainrule.export.numpy_script import numpy_layers, numpy_links, to_numpy_script
from chainrule.export.numpy_table import numpy_columns
from chainrule.export.onnx_model import to_onnx
from chainrule.export.onnx_preprocessing import onnx_columns
from chainrule.export.onnx_words import onnx_layers, onnx_links
from chainrule.export.pytorch_script import pytorch_layers, pytorch_losses, to_pytorch_script

__all__ = [
    "keras_layers",
    "keras_losses",
    "numpy_columns",
    "numpy_layers",
    "numpy_links",
    "onnx_columns",
    "onnx_layers",
    "onnx_links",
    "pytorch_layers",
    "pytorch_losses",
    "to_keras_script",
    "to_numpy_script",
    "to_onnx",
    "to_pytorch_script",
]
