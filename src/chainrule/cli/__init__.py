"""The command line: `chainrule train`, `evaluate`, `predict`, `playground` and `data`."""

import sys


def main() -> None:
    """Run the command that the arguments of this process ask for, and exit with its status."""
    try:
        from chainrule.cli.app import app
    except KeyboardInterrupt:
        sys.exit(130)
    app(prog_name="chainrule")


__all__ = ["main"]
