"""Sound: WAV files, and how loud each band of frequencies is in them. Source: mission item D14."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np

from chainrule.arrays import Array, as_floats
from chainrule.configuration import positive_number, whole_number
from chainrule.errors import DataError, ShapeError
from chainrule.files import Pathlike, read_regular_file

QUIET = 1e-10  # power below which nothing is heard: −100 dB
FRAME = 0.025  # seconds, short enough that a voice does not change within


def read_wav(path: Pathlike) -> tuple[Array, int]:
    """The sound in a WAV file: its samples (N,) float32 in −1…1, channels averaged, and how many there are a second.

    Raises:
        DataError: not a WAV file, damaged, empty, or not of 8, 16, 24 or 32 bit whole numbers.
        OSError: no such file, or it may not be read.

    """
    content = read_regular_file(path)
    try:
        with wave.open(io.BytesIO(content)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            packed = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise DataError(f"{path}: not a WAV file of whole numbers, or a damaged one ({error or 'cut short'})") from None
    packed = packed[: len(packed) - len(packed) % (width * channels)]
    if not packed or rate <= 0:
        raise DataError(f"{path}: there is no sound in this file")
    return _floats(packed, width).reshape(-1, channels).mean(axis=1), rate


def sound_features(samples: Any, rate: int, *, bands: int = 32) -> Array:
    """How loud each of `bands` bands of frequencies is, and how much that changes: features (2 · bands,) float32.

    The sound is cut into frames of 25 ms that overlap by half; each, faded in and out (a Hann window), is split into
    its frequencies by the fast Fourier transform. Of the power in each band log₁₀ is taken, and of that, over all
    frames, mean and standard deviation. The bands are equally wide on the mel scale: to the ear, steps of one size.

    Args:
        samples: (N,), at `rate` a second.
        rate: in hertz; sounds to be compared should have the same.
        bands: from 0 to half the rate.

    Raises:
        DataTypeError, DataError, ShapeError: not samples, or none.
        SettingError: `rate` or `bands` is out of range.

    """
    x = as_floats(samples, "samples", np.float64)
    count, hertz = whole_number(bands, "bands"), positive_number(rate, "rate")
    if x.ndim != 1:
        raise ShapeError(f"samples: expected one channel (N,), got an array {x.shape}")
    if len(x) == 0:
        raise DataError("samples: expected at least one, got none")
    power = _power(x, max(4, round(FRAME * hertz)))  # (F, L/2 + 1)
    edges = _hertz(np.linspace(0, _mel(hertz / 2), count + 1))
    band = np.clip(np.searchsorted(edges, np.linspace(0, hertz / 2, power.shape[1]), "right") - 1, 0, count - 1)
    loudness = np.log10(np.maximum(power @ np.eye(count)[band], QUIET))  # (F, bands)
    return np.concatenate([loudness.mean(axis=0), loudness.std(axis=0)]).astype(np.float32)


def _power(x: Array, length: int) -> Array:
    """The power of each frequency in each frame (F, L/2 + 1), of frames of L samples that overlap by half."""
    padded = np.pad(x, (0, max(0, length - len(x))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[:: length // 2]  # (F, L)
    spectrum = np.fft.rfft(frames * np.hanning(length), axis=1) / length
    return np.abs(spectrum) ** 2


def _floats(packed: bytes, width: int) -> Array:
    """Samples of `width` bytes as float32 in −1…1."""
    if width == 1:  # the only ones without a sign
        return (np.frombuffer(packed, np.uint8).astype(np.float32) - 128) / 128
    if width == 3:
        whole = np.zeros((len(packed) // 3, 4), np.uint8)
        whole[:, 1:] = np.frombuffer(packed, np.uint8).reshape(-1, 3)
        packed, width = whole.tobytes(), 4
    return np.frombuffer(packed, f"<i{width}").astype(np.float32) / np.float32(2 ** (8 * width - 1))


def _mel(hertz: Any) -> Any:
    """O'Shaughnessy 1987."""
    return 2595 * np.log10(1 + np.asarray(hertz) / 700)


def _hertz(mel: Any) -> Any:
    return 700 * (10 ** (np.asarray(mel) / 2595) - 1)
