"""The commands, and what a user sees when something is wrong: one line, never a traceback.

Exit status: 0 done, 1 it could not be done, 2 it was asked for in a way that makes no sense, 130 stopped by Ctrl-C.
"""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from chainrule.cli.compare import compare
from chainrule.cli.data import data
from chainrule.cli.derive import derive
from chainrule.cli.diagnose import diagnose
from chainrule.cli.evaluate import evaluate
from chainrule.cli.explain import explain
from chainrule.cli.export import export
from chainrule.cli.output import complain
from chainrule.cli.playground import playground
from chainrule.cli.predict import predict
from chainrule.cli.search import search
from chainrule.cli.serve import serve
from chainrule.cli.train import train
from chainrule.errors import ChainruleError, SettingError

STOPPED_BY_SIGINT = 130  # 128 + the number of the signal, as shells count
STOPPED_BY_SIGPIPE = 141


class Commands(TyperGroup):
    """The group of all commands. Every error that is the user's to mend ends here."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except KeyboardInterrupt as stop:
            complain(str(stop) or "stopped")
            raise typer.Exit(STOPPED_BY_SIGINT) from None
        except BrokenPipeError:
            _forget_output()
            raise typer.Exit(STOPPED_BY_SIGPIPE) from None
        except SettingError as error:
            complain(f"error: {error}")
            raise typer.Exit(2) from None
        except (ChainruleError, OSError, MemoryError) as error:
            complain(f"error: {_in_words(error)}")
            raise typer.Exit(1) from None


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or "not enough memory"


def _forget_output() -> None:
    """The reader of our output is gone: let Python's own flush at exit write into nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(asked: bool) -> None:
    if asked:
        from chainrule import __version__

        typer.echo(f"chainrule {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def chainrule(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Neural networks you can see through: train one, measure it, ask it."""


app.command()(train)
app.command()(search)
app.command()(compare)
app.command()(evaluate)
app.command()(diagnose)
app.command()(predict)
app.command()(explain)
app.command()(serve)
app.command()(export)
app.command()(derive)
app.command()(playground)
app.add_typer(data, name="data")
