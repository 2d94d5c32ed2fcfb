"""What a running gear finds in its folder: configuration, inputs, outputs. Deprecated by the service, still in use."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from asyncclient.errors import ArgumentError, ConfigurationError
from asyncclient.flywheel.objects._binding import given_body

if TYPE_CHECKING:
    from types import TracebackType

    from asyncclient.flywheel._generated.sync.client import Client

__all__ = ["GearContext", "NoKeyInput"]

_ROOT = "/flywheel/v0"


class NoKeyInput(ConfigurationError, RuntimeError):
    """A gear without an input that holds an API key wanted a client."""


class GearContext:
    """The folder of a running gear.

    As a context manager it writes the metadata at the end, unless an error ended the work.

    Args:
        gear_path: The folder; default: ``/flywheel/v0``.
    """

    def __init__(self, gear_path: str | os.PathLike[str] | None = None) -> None:
        warnings.warn("GearContext is deprecated by the service", DeprecationWarning, stacklevel=2)
        self._path = Path(gear_path if gear_path is not None else _ROOT)
        self._loaded: dict[str, Any] | None = None
        self._client: Client | None = None
        self._metadata: dict[str, Any] = {}
        self.log = logging.getLogger("asyncclient.flywheel.gear")

    @property
    def _config(self) -> dict[str, Any]:
        if self._loaded is None:
            found = json.loads((self._path / "config.json").read_text("utf-8"))
            self._loaded = found if isinstance(found, dict) else {}
        return self._loaded

    @property
    def config(self) -> dict[str, Any]:
        """The configuration values."""
        found: dict[str, Any] = self._config.get("config") or {}
        return found

    @property
    def destination(self) -> dict[str, Any]:
        """Type and id of the container that outputs go to."""
        found: dict[str, Any] = self._config.get("destination") or {}
        return found

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
            inputs = (self._config.get("inputs") or {}).values()
            key = next((entry["key"] for entry in inputs if entry.get("base") == "api-key" and entry.get("key")), None)
            if key is None:
                raise NoKeyInput("no input of this gear holds an API key")
            from asyncclient.flywheel._generated.sync.client import Client

            self._client = Client(key)
        return self._client

    def init_logging(self, level: str | int = "INFO") -> None:
        """Write log messages to standard error."""
        logging.basicConfig(level=level)

    def log_config(self) -> None:
        """Log inputs and configuration; keys are left out."""
        for name, entry in (self._config.get("inputs") or {}).items():
            shown = "***" if entry.get("base") == "api-key" else entry.get("location") or entry.get("value")
            self.log.info("input %s: %s", name, shown)
        for name, value in self.config.items():
            self.log.info("config %s: %s", name, value)

    def get_input(self, name: str) -> dict[str, Any] | None:
        """Return an input as it stands in ``config.json``, or None."""
        found: dict[str, Any] | None = (self._config.get("inputs") or {}).get(name)
        return found

    def get_input_path(self, name: str) -> str | None:
        """Return the path of an input file, or None if there is no such input.

        Raises:
            ArgumentError: The input is no file (also a ``ValueError``).
        """
        found = self.get_input(name)
        if found is None:
            return None
        if found.get("base") != "file":
            raise ArgumentError(f"the input {name!r} is no file", argument="name")
        path: str = found["location"]["path"]
        return path

    def open_input(self, name: str, mode: str = "r", **options: Any) -> IO[Any]:
        """Open an input file.

        Raises:
            FileNotFoundError: There is no such input (an ``OSError``).
        """
        path = self.get_input_path(name)
        if path is None:
            raise FileNotFoundError(f"there is no input {name!r}")
        return Path(path).open(mode, **options)

    def open_output(self, name: str, mode: str = "w", **options: Any) -> IO[Any]:
        """Open an output file."""
        return (self.output_dir / name).open(mode, **options)

    def get_context_value(self, name: str) -> Any:
        """Return the value of a context input, or None if it was not found.

        Raises:
            ArgumentError: The input is of another kind (also a ``ValueError``).
        """
        found = self.get_input(name)
        if found is None:
            return None
        if found.get("base") != "context":
            raise ArgumentError(f"the input {name!r} is no context input", argument="name")
        return found.get("value") if found.get("found", True) else None

    # --- metadata ----------------------------------------------------------------------------------------------------

    def update_container_metadata(self, container_type: str, *args: Any, **fields: Any) -> None:
        """Set fields of a container: one mapping, or keywords."""
        body = given_body(args, fields, what="update_container_metadata")
        self._metadata.setdefault(container_type, {}).update(body)

    def update_destination_metadata(self, *args: Any, **fields: Any) -> None:
        """Set fields of the destination: one mapping, or keywords."""
        self.update_container_metadata(str(self.destination.get("type")), *args, **fields)

    def update_file_metadata(self, file_name: str, *args: Any, **fields: Any) -> None:
        """Set fields of an output file: one mapping, or keywords."""
        body = given_body(args, fields, what="update_file_metadata")
        container = self._metadata.setdefault(str(self.destination.get("type")), {})
        files: list[dict[str, Any]] = container.setdefault("files", [])
        entry = next((found for found in files if found["name"] == file_name), None)
        if entry is None:
            entry = {"name": file_name}
            files.append(entry)
        entry.update(body)

    def write_metadata(self) -> None:
        """Write ``.metadata.json`` beside the outputs, if there is anything to say."""
        if self._metadata:
            text = json.dumps(self._metadata, indent=2, default=_plain)
            (self.output_dir / ".metadata.json").write_text(text, "utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.write_metadata()
        if self._client is not None:
            self._client.close()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as metadata")
