"""Measure native/math.hpp: how exact, how fast, and the same bytes on every instruction set.

    python benchmarks/math_accuracy.py            all 2³² floats: a few minutes on two cores
    python benchmarks/math_accuracy.py --quick    every 257th float: seconds

Compiles math_accuracy.cpp with g++ once for each instruction set, the same flags as the kernels', and prints tables in
Markdown. Ends with status 1 if the bytes differ, a special value is wrong, or an error is above its bound.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".cpp")
FLAGS = ["-std=c++20", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra"]
NO_VECTORS = ["-fno-tree-vectorize", "-fno-tree-slp-vectorize"]
VARIANTS = {
    "x86_64": {
        "one by one": ["-march=x86-64-v3", *NO_VECTORS],
        "x86-64-v3": ["-march=x86-64-v3"],
        "x86-64-v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
    },
    "aarch64": {"one by one": NO_VECTORS, "NEON": []},
}
FLOAT_BOUND = 1.0  # units in the last place
DOUBLE_BOUND = 1.5 * 2.0**-52  # relative


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="every 257th float and fewer doubles")
    quick = parser.parse_args().quick
    step, doubles, digest_step, digest_doubles = (257, 200_000, 257, 1 << 22) if quick else (1, 4_000_000, 7, 1 << 28)

    with tempfile.TemporaryDirectory() as folder:
        programs = build(Path(folder))
        best = list(programs)[-1]
        print(f"Instruction sets: {', '.join(programs)}; compiler: {compiler()}\n")
        accurate = accuracy(programs[best], step, doubles)
        same = digests(programs, digest_step, digest_doubles)
        speed(programs)
    return 0 if accurate and same else 1


def build(folder: Path) -> dict[str, Path]:
    """One program for each instruction set that this machine can run, slowest first."""
    libraries = ["-pthread", *(["-lquadmath"] if platform.machine() == "x86_64" else [])]
    programs = {}
    for number, (name, flags) in enumerate(VARIANTS[platform.machine()].items()):
        program = folder / f"math_accuracy_{number}"
        subprocess.run(["g++", *FLAGS, *flags, str(SOURCE), "-o", str(program), *libraries], check=True)
        runs = subprocess.run([program, "digest", str(1 << 20), "4096"], capture_output=True, check=False)
        if runs.returncode == 0:
            programs[name] = program
    return programs


def compiler() -> str:
    return subprocess.run(["g++", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def lines(program: Path, *words: object) -> list[list[str]]:
    result = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=True)
    return [line.split() for line in result.stdout.splitlines()]


def accuracy(program: Path, step: int, doubles: int) -> bool:
    """Print the error of every function and say whether all stay within their bounds."""
    good = True
    print("| Function | Type | Largest error (ulp) | at | Not correctly rounded | Wrong specials | Inputs |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for kind, rows in (
        ("float32", lines(program, "float", step, os.cpu_count() or 1)),
        ("float64", lines(program, "double", doubles)),
    ):
        for name, ulps, at, misrounded, wrong, inputs, relative in rows:
            share = int(misrounded) / int(inputs)
            print(f"| {name} | {kind} | {ulps} | {float.fromhex(at):.6g} | {share:.3%} | {wrong} | {int(inputs):,} |")
            small = float(ulps) <= FLOAT_BOUND if kind == "float32" else float(relative) <= DOUBLE_BOUND
            good = good and small and wrong == "0"
    print(f"\nWithin the bounds: {'yes' if good else 'NO'}\n")
    return good


def digests(programs: dict[str, Path], step: int, doubles: int) -> bool:
    """Whether every instruction set gives the same bytes."""
    found = {name: lines(program, "digest", step, doubles) for name, program in programs.items()}
    same = all(rows == next(iter(found.values())) for rows in found.values())
    verdict = "yes" if same else "NO"
    print(f"Same bytes from {', '.join(found)} ({2**32 // step:,} floats, {doubles:,} doubles): {verdict}\n")
    return same


def speed(programs: dict[str, Path]) -> None:
    """Print nanoseconds per element on arrays in the first-level cache, and how many times faster than glibc."""
    print("| Function | Instruction set | float32 (ns) | glibc's | ratio | float64 (ns) | glibc's | ratio |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    tables = {name: lines(program, "speed") for name, program in list(programs.items())[1:]}
    for rows in zip(*tables.values(), strict=True):
        for isa, (name, *numbers) in zip(tables, rows, strict=True):
            single, single_libc, double, double_libc = map(float, numbers)
            print(
                f"| {name} | {isa} | {single:.2f} | {single_libc:.2f} | {single_libc / single:.1f} "
                f"| {double:.2f} | {double_libc:.2f} | {double_libc / double:.1f} |"
            )


if __name__ == "__main__":
    sys.exit(main())
