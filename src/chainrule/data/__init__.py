"""Data sets and their preparation: arrays in, arrays out."""

from chainrule.arrays import Pixels
from chainrule.data.catalogue import NAMES, fetch, load, where
from chainrule.data.dataset import DataSet
from chainrule.data.digits import load_digits
from chainrule.data.idx import parse_idx
from chainrule.data.mnist import load_mnist
from chainrule.data.npy import read_npy, read_npz
from chainrule.data.pictures import ImageFolder, read_image_folder
from chainrule.data.preparation import Standardizer
from chainrule.data.sound import read_wav, sound_features
from chainrule.data.splitting import held_back_by_class, split
from chainrule.data.stored import store
from chainrule.data.toy import make_blobs, make_hills, make_parabola, make_rings, make_sine, make_spirals, make_xor

__all__ = [
    "NAMES",
    "DataSet",
    "ImageFolder",
    "Pixels",
    "Standardizer",
    "fetch",
    "held_back_by_class",
    "load",
    "load_digits",
    "load_mnist",
    "make_blobs",
    "make_hills",
    "make_parabola",
    "make_rings",
    "make_sine",
    "make_spirals",
    "make_xor",
    "parse_idx",
    "read_image_folder",
    "read_npy",
    "read_npz",
    "read_wav",
    "sound_features",
    "split",
    "store",
    "where",
]
