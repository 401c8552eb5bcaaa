"""Things that can be written down as JSON and built again: layers, losses, initializers, optimizers.

Each is a dataclass; its fields are its configuration. Every subclass enters one closed register under its class name:
reading a configuration looks names up there and nowhere else, so a file can never import or run anything.
"""

import dataclasses
import math
import operator
from typing import Any, ClassVar, Self

import numpy as np

from chainrule.errors import SettingError

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


class Configurable:
    """Base of everything whose dataclass fields describe it completely."""

    register: ClassVar[dict[str, type["Configurable"]]] = {}
    recordable: ClassVar[bool] = True  # False: Python runs it every time, not a tape (see training and network.passes)

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        taken = Configurable.register.get(cls.__name__)
        if taken is not None and taken.__module__.startswith("chainrule.") and taken.__module__ != cls.__module__:
            raise SettingError(f"the name {cls.__name__} is taken by {taken.__module__}; give your class another")
        Configurable.register[cls.__name__] = cls

    def configuration(self) -> dict[str, JSON]:
        """The class name under "class", and every field; parts are written the same way."""
        return {"class": type(self).__name__, **{name: _to_json(getattr(self, name)) for name in _fields(type(self))}}

    @classmethod
    def from_configuration(cls, configuration: JSON) -> Self:
        """Build the object that `configuration` describes; it must be a `cls`.

        Raises:
            SettingError: names the unknown class, unknown or missing setting, or the value out of range.

        """
        if not isinstance(configuration, dict) or not isinstance(configuration.get("class"), str):
            raise SettingError(f"expected the description of a {cls.__name__}, got {configuration!r}")
        name = str(configuration["class"])
        found = Configurable.register.get(name)
        if found is None or not issubclass(found, cls):
            raise SettingError(f"{name!r} is not the name of a known {cls.__name__}")
        known = _fields(found)
        settings = {key: value for key, value in configuration.items() if key != "class"}
        for key in settings:
            if key not in known:
                raise SettingError(f"{name} has no setting {key!r}; it has {', '.join(sorted(known)) or 'none'}")
        try:
            return found(**{key: _from_json(value) for key, value in settings.items()})
        except TypeError as error:
            raise SettingError(f"{name}: {error}") from None


def _fields(cls: type[Configurable]) -> list[str]:
    """The names of the settings. Raises SettingError for a class that is not a dataclass."""
    if not dataclasses.is_dataclass(cls):
        raise SettingError(f"{cls.__name__} cannot be described: write @dataclass(eq=False) above the class")
    return [field.name for field in dataclasses.fields(cls) if field.init]


def _to_json(value: Any) -> JSON:
    if isinstance(value, Configurable):
        return value.configuration()
    if isinstance(value, tuple | list):
        return [_to_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise SettingError(f"a setting must be a number, text, a list or another part, got {type(value).__name__}")


def _from_json(value: JSON) -> Any:
    if isinstance(value, dict):
        return Configurable.from_configuration(value)
    if isinstance(value, list):
        return tuple(_from_json(item) for item in value)
    return value


def whole_number(value: Any, name: str, *, at_least: int = 1) -> int:
    """`value` as an int ≥ `at_least`, else a SettingError that names the setting."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < at_least:
        raise SettingError(f"{name}: expected a whole number of at least {at_least}, got {value!r}")
    return number


def real_number(value: Any, name: str, *, at_least: float = 0.0, below: float = float("inf")) -> float:
    """`value` as a finite float in [at_least, below), else a SettingError that names the setting."""
    try:
        number = float("nan") if isinstance(value, str | bool | np.bool_) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not (math.isfinite(number) and at_least <= number < below):
        least = "" if at_least == float("-inf") else f" of at least {at_least:g}"
        limit = "" if below == float("inf") else f" and below {below:g}"
        raise SettingError(f"{name}: expected a finite number{least}{limit}, got {value!r}")
    return number


def positive_number(value: Any, name: str) -> float:
    """`value` as a finite float > 0, else a SettingError that names the setting."""
    number = real_number(value, name)
    if number == 0:
        raise SettingError(f"{name}: expected a number above 0, got {value!r}")
    return number


def yes_or_no(value: Any, name: str) -> bool:
    """`value` as a bool, else a SettingError that names the setting."""
    if not isinstance(value, bool | np.bool_):
        raise SettingError(f"{name}: expected True or False, got {value!r}")
    return bool(value)
