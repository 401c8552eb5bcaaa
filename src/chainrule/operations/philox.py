"""Random bits from a counter: the same four numbers always give the same bits, in any order, on any machine.

Source: Philox-4x32-10 of Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

import numpy as np

from chainrule.arrays import Array
from chainrule.operations.operation import operation

MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
KEY_STEPS = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))  # the golden ratio and √3 − 1, as fractions of 2³²
LOW = np.uint64(0xFFFFFFFF)  # the low 32 of 64 bits
HALF = np.uint64(32)
ROUNDS = 10


def philox(counter: Array, key: Array) -> Array:
    """Four random words for each counter of four words: counter (4, B) and key (2,), all uint64 below 2³²."""
    for _ in range(ROUNDS):
        first, second = counter[0] * MULTIPLIERS[0], counter[2] * MULTIPLIERS[1]  # (B,)   exact: below 2⁶⁴
        counter = np.stack(
            [
                (second >> HALF) ^ counter[1] ^ key[0],
                second & LOW,
                (first >> HALF) ^ counter[3] ^ key[1],
                first & LOW,
            ]
        )
        key = (key + np.array(KEY_STEPS)) & LOW
    return counter


@operation
def random_bits(
    count: int,  # count = 11
    seed: int,  # seed = 2**40 + 5
    stream: int,  # stream = 3
    step: int,  # step = 9
) -> Array:
    """`count` words of 32 random bits: first word 0 of Philox at the counters (i, i / 2³², step, stream), i = 0, 1, …

    Then word 1 at the same counters, words 2 and 3: as many counters as a quarter of `count`, rounded up.

    The key is the seed. All are whole numbers of at least 0; of the seed the low 64 bits count, of stream and step
    the low 32.
    """
    block = np.arange((count + 3) // 4, dtype=np.uint64)  # (B,)   each gives four words
    words = [block & LOW, block >> HALF, np.full_like(block, step % 2**32), np.full_like(block, stream % 2**32)]
    key = np.array([seed % 2**32, seed // 2**32 % 2**32], np.uint64)  # (2,)
    bits = philox(np.stack(words), key).ravel()[:count].astype(np.uint32)  # (count,)
    return bits
