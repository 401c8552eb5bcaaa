"""Data sets and their preparation: arrays in, arrays out."""

from chainrule.arrays import Pixels
from chainrule.data.catalogue import NAMES, fetch, load, where
from chainrule.data.dataset import DataSet
from chainrule.data.digits import load_digits
from chainrule.data.idx import parse_idx
from chainrule.data.mnist import load_mnist
from chainrule.data.preparation import Standardizer
from chainrule.data.splitting import split
from chainrule.data.stored import store
from chainrule.data.toy import make_blobs, make_parabola, make_rings, make_spirals, make_xor

__all__ = [
    "NAMES",
    "DataSet",
    "Pixels",
    "Standardizer",
    "fetch",
    "load",
    "load_digits",
    "load_mnist",
    "make_blobs",
    "make_parabola",
    "make_rings",
    "make_spirals",
    "make_xor",
    "parse_idx",
    "split",
    "store",
    "where",
]
