"""The command line: `chainrule train`, `evaluate`, `predict` and `data`."""


def main() -> None:
    """Run the command that the arguments of this process ask for, and exit with its status."""
    from chainrule.cli.app import app

    app(prog_name="chainrule")


__all__ = ["main"]
