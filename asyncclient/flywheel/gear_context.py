"""What a running gear finds in its folder: configuration, inputs, outputs. Deprecated by the service, still in use."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from asyncclient.errors import ArgumentError, ArgumentTypeError, ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType

    from asyncclient.flywheel._generated.sync.client import Client

__all__ = ["GearContext", "NoKeyInput", "NoSuchInput"]

_ROOT = "/flywheel/v0"


class NoKeyInput(ConfigurationError, RuntimeError):
    """A gear without an input that holds an API key wanted a client."""


class NoSuchInput(ConfigurationError, FileNotFoundError):
    """An input was to be opened that the gear was not given."""


class GearContext:
    """The folder of a running gear.

    As a context manager it writes the metadata at the end, unless an error ended the work.

    Args:
        gear_path: The folder; default: ``/flywheel/v0``.

    All that reads ``config.json`` raises :class:`~asyncclient.errors.ConfigurationError` where it is missing or is not
    what the service writes.
    """

    def __init__(self, gear_path: str | os.PathLike[str] | None = None) -> None:
        warnings.warn("GearContext is deprecated by the service", DeprecationWarning, stacklevel=2)
        self._path = Path(_fs_text(_ROOT if gear_path is None else gear_path, "gear_path"))
        self._loaded: dict[str, Any] | None = None
        self._client: Client | None = None
        self._metadata: dict[str, Any] = {}
        self.log = logging.getLogger("asyncclient.flywheel.gear")

    @property
    def _config(self) -> dict[str, Any]:
        if self._loaded is None:
            self._loaded = _read(self._path / "config.json")
        return self._loaded

    def _wrong(self, reason: str) -> ConfigurationError:
        return ConfigurationError(f"{self._path / 'config.json'}: {reason}")

    def _part(self, name: str) -> dict[str, Any]:
        found = self._config.get(name)
        if found is not None and not isinstance(found, dict):
            raise self._wrong(f"{name!r} must be an object, not {type(found).__name__}")
        return found or {}

    @property
    def _inputs(self) -> dict[str, dict[str, Any]]:
        found = self._part("inputs")
        for name, entry in found.items():
            if not isinstance(entry, dict):
                raise self._wrong(f"the input {name!r} must be an object, not {type(entry).__name__}")
        return found

    @property
    def config(self) -> dict[str, Any]:
        """The configuration values."""
        return self._part("config")

    @property
    def destination(self) -> dict[str, Any]:
        """Type and id of the container that outputs go to."""
        return self._part("destination")

    @property
    def work_dir(self) -> Path:
        """A folder for intermediate files; made if it is missing."""
        return self._folder("work")

    @property
    def output_dir(self) -> Path:
        """The folder whose files become outputs; made if it is missing."""
        return self._folder("output")

    def _folder(self, name: str) -> Path:
        folder = self._path / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def client(self) -> Client:
        """A client with the key that was given as an input.

        Raises:
            NoKeyInput: There is none (also a ``RuntimeError``).
        """
        if self._client is None:
            inputs = self._inputs.values()
            key = next((entry["key"] for entry in inputs if entry.get("base") == "api-key" and entry.get("key")), None)
            if key is None:
                raise NoKeyInput("no input of this gear holds an API key")
            from asyncclient.flywheel._generated.sync.client import Client

            self._client = Client(key)
        return self._client

    def init_logging(self, level: str | int = "INFO") -> None:
        """Write log messages to standard error.

        Raises:
            ArgumentError: There is no such level (also a ``ValueError``).
        """
        chosen = level.upper() if isinstance(level, str) else level
        try:
            self.log.setLevel(chosen)
        except (TypeError, ValueError):
            raise ArgumentError(f"{level!r} is no level of logging, such as 'INFO'", argument="level") from None
        logging.basicConfig(level=chosen)

    def log_config(self) -> None:
        """Log inputs and configuration; keys are left out."""
        for name, entry in self._inputs.items():
            shown = "***" if entry.get("base") == "api-key" else entry.get("location") or entry.get("value")
            self.log.info("input %s: %s", name, shown)
        for name, value in self.config.items():
            self.log.info("config %s: %s", name, value)

    def get_input(self, name: str) -> dict[str, Any] | None:
        """Return an input as it stands in ``config.json``, or None."""
        return self._inputs.get(_text(name, "name"))

    def _input(self, name: str, base: str, what: str) -> dict[str, Any] | None:
        found = self.get_input(name)
        if found is not None and found.get("base") != base:
            raise ArgumentError(f"the input {name!r} is no {what}: its base is {found.get('base')!r}", argument="name")
        return found

    def get_input_path(self, name: str) -> str | None:
        """Return the path of an input file, or None if there is no such input.

        Raises:
            ArgumentError: The input is no file (also a ``ValueError``).
        """
        found = self._input(name, "file", "file")
        if found is None:
            return None
        location = found.get("location")
        path = location.get("path") if isinstance(location, dict) else None
        if not isinstance(path, str) or not path:
            raise self._wrong(f"the input {name!r} has no path in its location")
        return path

    def open_input(self, name: str, mode: str = "r", **options: Any) -> IO[Any]:
        """Open an input file.

        Raises:
            NoSuchInput: There is no such input (an ``OSError``).
        """
        path = self.get_input_path(name)
        if path is None:
            known = ", ".join(self._inputs) or "none"
            raise NoSuchInput(f"there is no input {name!r}; there are: {known}")
        return Path(path).open(mode, **options)

    def open_output(self, name: str, mode: str = "w", **options: Any) -> IO[Any]:
        """Open an output file."""
        return (self.output_dir / _fs_text(name, "name")).open(mode, **options)

    def get_context_value(self, name: str) -> Any:
        """Return the value of a context input, or None if it was not found.

        Raises:
            ArgumentError: The input is of another kind (also a ``ValueError``).
        """
        found = self._input(name, "context", "context input")
        return found.get("value") if found is not None and found.get("found", True) else None

    # --- metadata ----------------------------------------------------------------------------------------------------

    def update_container_metadata(self, container_type: str, *args: Any, **fields: Any) -> None:
        """Set fields of a container: one mapping, keywords, or both; the keywords win.

        Raises:
            ArgumentError: What was given is no mapping, or holds what JSON has no word for (also a ``ValueError``).
            ArgumentTypeError: It holds something that cannot be written as JSON (also a ``TypeError``).
        """
        body = _fields(args, fields, "update_container_metadata")
        self._container(_text(container_type, "container_type")).update(body)

    def update_destination_metadata(self, *args: Any, **fields: Any) -> None:
        """Set fields of the destination: one mapping, keywords, or both."""
        body = _fields(args, fields, "update_destination_metadata")
        self._container(self._destination_type()).update(body)

    def update_file_metadata(self, file_name: str, *args: Any, **fields: Any) -> None:
        """Set fields of an output file: one mapping, keywords, or both."""
        body = _fields(args, fields, "update_file_metadata")
        if body.get("name", file_name) != _text(file_name, "file_name"):
            raise ArgumentError("update_file_metadata(): name cannot be another than file_name", argument="name")
        files = self._container(self._destination_type()).setdefault("files", [])
        if not isinstance(files, list):
            raise ArgumentError("update_file_metadata(): 'files' was set to what is no list", argument="files")
        entry = next((found for found in files if isinstance(found, dict) and found.get("name") == file_name), None)
        if entry is None:
            entry = {"name": file_name}
            files.append(entry)
        entry.update(body)

    def _destination_type(self) -> str:
        found = self.destination.get("type")
        if not isinstance(found, str):
            raise self._wrong("there is no type of the destination, to which the metadata would belong")
        return found

    def _container(self, container_type: str) -> dict[str, Any]:
        found: dict[str, Any] = self._metadata.setdefault(container_type, {})
        return found

    def write_metadata(self) -> None:
        """Write ``.metadata.json`` beside the outputs, if there is anything to say."""
        if any(self._metadata.values()):
            text = _json(self._metadata, "write_metadata")
            (self.output_dir / ".metadata.json").write_text(text, "utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.write_metadata()
        finally:
            client, self._client = self._client, None
            if client is not None:
                client.close()


def _read(path: Path) -> dict[str, Any]:
    # Not chained: what collects errors would take the whole text from that of the JSON, and with it the key.
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"there is no {path}: {path.parent} is not the folder of a running gear") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        reason = "is no UTF-8" if isinstance(error, UnicodeDecodeError) else f"is no JSON: {error}"
        raise ConfigurationError(f"{path} {reason}") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path} must hold a JSON object, not {type(found).__name__}")
    return found


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name} must be text, not {type(value).__name__}", argument=name)
    return value


def _fs_text(value: Any, name: str) -> str:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str):
        raise ArgumentTypeError(f"{name} must be a path, not {type(value).__name__}", argument=name)
    return path


def _fields(args: tuple[Any, ...], fields: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return what was given as a mapping, as keywords or as both, once it is known that it can be written."""
    if len(args) > 1:
        raise ArgumentTypeError(f"{what}() takes one mapping, and keywords")
    given: Any = args[0] if args else {}
    body = given.to_wire() if hasattr(given, "to_wire") else given
    if not isinstance(body, Mapping):
        raise ArgumentError(f"{what}(): {type(given).__name__} is no mapping")
    found = {**body, **fields}
    _json(found, what)  # at the end of the gear it would be too late: nothing at all would be written
    return found


def _json(value: Any, what: str) -> str:
    try:
        return json.dumps(value, indent=2, default=_plain, allow_nan=False)
    except (TypeError, RecursionError) as error:
        raise ArgumentTypeError(f"{what}(): {error}") from None
    except ValueError as error:
        raise ArgumentError(f"{what}(): cannot be written as JSON: {error}") from None


def _plain(value: Any) -> Any:
    if hasattr(value, "to_wire"):
        return value.to_wire()
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item") and getattr(value, "shape", None) == ():  # numpy scalars
        return value.item()
    raise TypeError(f"a value of type {type(value).__name__} cannot be written as JSON")
