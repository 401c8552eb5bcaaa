"""`chainrule data`: what there is to learn from, and where it lies."""

from typing import Annotated

import typer

from chainrule import data as catalogue
from chainrule.cli.recipe import one_of

data = typer.Typer(no_args_is_help=True, help="List the data sets, fetch one, or say where one lies.")

Name = Annotated[str, typer.Argument(metavar="NAME", help=f"{', '.join(catalogue.NAMES)}.")]


@data.command("list")
def list_() -> None:
    """Name every data set, and where it comes from on this machine."""
    width = max(len(name) for name in catalogue.NAMES)
    for name in catalogue.NAMES:
        first, *others = catalogue.where(name)
        print(f"{name:<{width}}  {first}")
        for place in others:
            print(" " * width, place, sep="  ")


@data.command()
def fetch(name: Name) -> None:
    """Make sure that a data set is on this machine, and say where."""
    print("\n".join(catalogue.fetch(one_of(name, catalogue.NAMES, "NAME"))))


@data.command()
def where(name: Name) -> None:
    """Say where a data set lies on this machine; fetches nothing."""
    print("\n".join(catalogue.where(one_of(name, catalogue.NAMES, "NAME"))))
