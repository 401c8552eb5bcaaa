"""A trained network for other programs: an ONNX model, or a script for NumPy, PyTorch or Keras.

    cr.export.to_onnx(network, "digits.onnx")

Each target has a table of words, by the classes of layers and losses; see `chainrule.export.words`.
"""

from chainrule.export.onnx_model import to_onnx
from chainrule.export.onnx_words import onnx_layers, onnx_links

__all__ = ["onnx_layers", "onnx_links", "to_onnx"]
