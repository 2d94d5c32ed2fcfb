"""Configuration of the embedded API and of the server: keyword arguments, then the environment, then a file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from asyncclient.errors import ConfigurationError

__all__ = ["BaseAPIConf", "LocalAPIConf", "RemoteAPIConf", "RequiredConfVar"]

_SECRETS: Final = ("SECRET", "PASSWORD", "PRIVATE", "ACCESS_KEY")
_LOCAL_KEY: Final = "endjlwenmfkwe"  # the platform's own default: nothing is signed with it for anybody else


class RequiredConfVar:
    """Marks a variable that has no default."""


class _MissingVariable(ConfigurationError, ValueError):
    """A variable without a default has no value."""


class _Variables(dict[str, Any]):
    """Collects the variables that subclasses declare, as class attributes in capitals."""

    _declared: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        own = {name: value for name, value in vars(cls).items() if name.isupper()}
        for name in own:  # else the declaration would stand before the item of that name
            delattr(cls, name)
        inherited: dict[str, Any] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited.update(getattr(base, "_declared", {}))
        cls._declared = {**inherited, **own}


class BaseAPIConf(_Variables):
    """Configuration variables as a dict, and as attributes.

    A variable comes from a keyword argument, else from the environment, else from the file, else it is the default of
    its class. Empty and otherwise false values count as missing. Keyword arguments that no class declares are ignored.

    Args:
        env_file: A file of lines ``NAME=value``. It is read only; the environment of the process stays as it is.
        kwargs: Values by name.

    Raises:
        FileExistsError: There is no such file.
        ConfigurationError: A variable without a default has no value; also a ``ValueError``.
    """

    SECRET_API_KEY: Any = RequiredConfVar
    MYSQL_HOST: Any = None

    def __init__(self, env_file: str | os.PathLike[str] | None = None, **kwargs: Any) -> None:
        super().__init__()
        places = (kwargs, os.environ, {} if env_file is None else _read(Path(env_file)))
        for name, default in self._declared.items():
            value = next((place[name] for place in places if place.get(name)), default)
            if value is RequiredConfVar:
                raise _MissingVariable(f"No value provided for MANDATORY environment variable `{name}'")
            self[name] = value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for by copy and pickle, which expect an AttributeError
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __repr__(self) -> str:
        shown = {name: "***" if value and _is_secret(name) else value for name, value in self.items()}
        return f"{type(self).__name__}({shown})"


class LocalAPIConf(BaseAPIConf):
    """Configuration of the embedded API: the folder ``LOCAL_DIR`` that holds its database and files."""

    LOCAL_DIR: Any = RequiredConfVar
    SECRET_API_KEY: Any = _LOCAL_KEY


class RemoteAPIConf(BaseAPIConf):
    """Configuration of the server: its database, its object storage, and the key it signs tokens with."""

    SECRET_API_KEY: Any = RequiredConfVar
    S3_HOST: Any = RequiredConfVar
    S3_ACCESS_KEY: Any = RequiredConfVar
    S3_PRIVATE_KEY: Any = RequiredConfVar
    S3_BUCKET_NAME: Any = RequiredConfVar
    MYSQL_HOST: Any = RequiredConfVar
    MYSQL_USER: Any = RequiredConfVar
    MYSQL_PASSWORD: Any = RequiredConfVar
    MYSQL_DATABASE: Any = RequiredConfVar
    API_PROFILE: Any = RequiredConfVar


def _is_secret(name: str) -> bool:
    return any(word in name for word in _SECRETS)


def _read(path: Path) -> dict[str, str]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        # The class and the words of the platform's own package, which callers may look for.
        raise FileExistsError(f"[Errno No such file: %s] {path}") from FileNotFoundError(errno.ENOENT, str(path))
    return dict(_assignments(text))


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """Read lines of ``[export] NAME=value``; a value may stand in quotes, a comment begins with ``#`` after a space."""
    for line in text.splitlines():
        name, sign, value = line.strip().removeprefix("export ").partition("=")
        if not sign or name.lstrip().startswith("#"):
            continue
        value = value.strip()
        if value[:1] in ("'", '"') and value.find(value[0], 1) > 0:
            value = value[1 : value.index(value[0], 1)]
        else:
            value = value.partition(" #")[0].rstrip()
        yield name.strip(), value
