"""Random numbers with a seed and a purpose, so that no two uses ever share a stream.

Philox is counter-based: its whole state is a key and a counter. Nothing here reads or changes NumPy's global state.
"""

from __future__ import annotations

import zlib

import numpy as np

from chainrule.errors import SettingError


def stream(seed: int | None, purpose: str) -> np.random.Generator:
    """A generator for one purpose ("weights", "shuffle", …); the same seed and purpose give the same numbers.

    `seed=None` asks the operating system for a fresh one. Raises SettingError unless the seed is a whole number ≥ 0.
    """
    if seed is None:
        return np.random.Generator(np.random.Philox())
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise SettingError(f"seed: expected a whole number of at least 0, or None, got {seed!r}")
    entropy = np.random.SeedSequence([int(seed), zlib.crc32(purpose.encode())])
    return np.random.Generator(np.random.Philox(entropy))
