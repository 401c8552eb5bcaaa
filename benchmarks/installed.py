"""How long a package takes to import, and how much room it takes with all it depends on.

python -m benchmarks.installed torch
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

TIMED = "import time; start = time.perf_counter(); import {0}; print(time.perf_counter() - start)"
DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # where the name to install is another


def import_seconds(package: str) -> float:
    """The median of five fresh processes; the interpreter's own start does not count."""
    command = [sys.executable, "-W", "ignore", "-c", TIMED.format(package)]
    return statistics.median(float(subprocess.check_output(command, text=True)) for _ in range(5))


def size(distribution: str, seen: set[str]) -> int:
    """Bytes of a distribution's files and of all that it needs and that is installed, each counted once."""
    name = re.sub(r"[-_.]+", "-", distribution).lower()
    if name in seen:
        return 0
    seen.add(name)
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return 0
    paths = {Path(str(found.locate_file(file))) for file in found.files or ()}
    total = sum(path.stat().st_size for path in paths if path.is_file())
    if not any(path.name == "__init__.py" for path in paths) and name == "chainrule":  # installed for development
        import chainrule

        total += sum(path.stat().st_size for path in Path(chainrule.__file__).parent.rglob("*") if path.is_file())
    for requirement in found.requires or ():
        if "extra ==" not in requirement:
            total += size(re.match(r"[\w.-]+", requirement)[0], seen)
    return total


if __name__ == "__main__":
    package = sys.argv[1]
    megabytes = size(DISTRIBUTIONS.get(package, package), set()) / 1e6
    print(json.dumps({"peer": package, "import_seconds": round(import_seconds(package), 3), "mb": round(megabytes)}))
