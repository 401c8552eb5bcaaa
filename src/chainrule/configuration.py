"""Things that can be written down as JSON and built again: layers, losses, initializers, optimizers.

Each is a dataclass; its fields are its configuration. Every subclass enters one closed register under its class name:
reading a configuration looks names up there and nowhere else, so a file can never import or run anything.
"""

import dataclasses
from typing import Any, ClassVar, Self

from chainrule.errors import SettingError

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


class Configurable:
    """Base of everything whose dataclass fields describe it completely."""

    register: ClassVar[dict[str, type["Configurable"]]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        taken = Configurable.register.get(cls.__name__)
        if taken is not None and taken.__module__.startswith("chainrule.") and taken.__module__ != cls.__module__:
            raise SettingError(f"the name {cls.__name__} is taken by {taken.__module__}; give your class another")
        Configurable.register[cls.__name__] = cls

    def configuration(self) -> dict[str, JSON]:
        """The class name under "class", and every field; parts are written the same way."""
        fields = {f.name: _to_json(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {"class": type(self).__name__, **fields}

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
        known = {f.name for f in dataclasses.fields(found)}  # type: ignore[arg-type]
        settings = {key: value for key, value in configuration.items() if key != "class"}
        for key in settings:
            if key not in known:
                raise SettingError(f"{name} has no setting {key!r}; it has {', '.join(sorted(known)) or 'none'}")
        try:
            return found(**{key: _from_json(value) for key, value in settings.items()})
        except TypeError as error:
            raise SettingError(f"{name}: {error}") from None


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
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < at_least:
        raise SettingError(f"{name}: expected a whole number of at least {at_least}, got {value!r}")
    return int(value)


def real_number(value: Any, name: str, *, at_least: float = 0.0, below: float = float("inf")) -> float:
    """`value` as a float in [at_least, below), else a SettingError that names the setting."""
    number = float(value) if hasattr(value, "__float__") and not isinstance(value, str | bool) else float("nan")
    if not at_least <= number < below:
        limit = "" if below == float("inf") else f" and below {below:g}"
        raise SettingError(f"{name}: expected a finite number of at least {at_least:g}{limit}, got {value!r}")
    return number


def positive_number(value: Any, name: str) -> float:
    """`value` as a finite float > 0, else a SettingError that names the setting."""
    number = real_number(value, name)
    if number == 0:
        raise SettingError(f"{name}: expected a number above 0, got {value!r}")
    return number
