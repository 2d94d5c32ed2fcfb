"""Collects whatever a session writes or leaves behind, and searches it for secrets."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import stat
import traceback
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from asyncclient.telemetry import Event, OpenTelemetry


class Found(NamedTuple):
    """A secret in a place where it must not be."""

    where: str
    form: str
    around: str


class Witness(logging.Handler):
    """Takes down logs, events, spans, errors and warnings.

    Attributes:
        observers: To give to a hub.
    """

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.records: list[logging.LogRecord] = []
        self.events: list[Event] = []
        self.errors: list[BaseException] = []
        self.texts: list[tuple[str, str]] = []
        self.folders: list[Path] = []
        self.exempt: set[str] = set()
        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self._tracers = TracerProvider(shutdown_on_exit=False)
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self._meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.observers = [self, OpenTelemetry(self._tracers, self._meters, propagate=True)]
        self._caught = warnings.catch_warnings(record=True)
        self._warned: list[warnings.WarningMessage] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("uvicorn"):
            return  # of the server that stands for the service
        self.records.append(record)

    def on_event(self, event: Event) -> None:
        self.events.append(event)

    def __enter__(self) -> Witness:
        root = logging.getLogger()
        self._level = root.level
        warned = self._caught.__enter__()
        assert warned is not None
        self._warned = warned
        warnings.simplefilter("always")
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._level)
        self._caught.__exit__(None, None, None)

    def look_at(self, *things: Any) -> None:
        """Take down how objects show themselves."""
        for thing in things:
            for show in (repr, str, "{}".format):
                self.texts.append((f"{show} of {type(thing).__name__}", show(thing)))
            for name in ("_rules", "_auth", "_credentials", "_base", "_hub", "_headers_auth", "configuration"):
                if hasattr(thing, name):
                    self.texts.append((f"{type(thing).__name__}.{name}", repr(getattr(thing, name))))

    def failed(self, error: BaseException) -> None:
        """Take down an error, and everything that hangs on it."""
        self.errors.append(error)

    # --- what was written --------------------------------------------------------------------------------------------

    def written(self) -> Iterator[tuple[str, str]]:
        """Yield everything: where, and the text."""
        formatter = logging.Formatter("%(asctime)s %(name)s %(message)s")
        for record in list(self.records):
            where = f"log {record.name} {record.levelname}"
            yield where, formatter.format(record)
            yield f"{where} fields", repr({name: value for name, value in vars(record).items() if name != "exc_info"})
        for event in list(self.events):
            yield f"event {type(event).__name__}", repr(event)
        for span in self._spans.get_finished_spans():
            yield f"span {span.name}", span.to_json()
        data = self._reader.get_metrics_data()
        if data is not None:
            yield "metrics", data.to_json()
        for error in self.errors:
            yield from shown(error)
        for warning in self._warned:
            yield "warning", str(warning)
        yield from self.texts
        for folder in self.folders:
            yield from self._files(folder)

    def _files(self, folder: Path) -> Iterator[tuple[str, str]]:
        for path in sorted(folder.rglob("*")):
            yield "file name", str(path)
            if path.is_file() and path.name in self.exempt:
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, f"{path} holds a secret that others can read"
            elif path.is_file():
                yield f"file {path}", path.read_bytes().decode("latin-1")

    def leaks(self, secrets: Iterable[str]) -> list[Found]:
        """Return every place where one of the secrets is, in any of its forms."""
        forms = {form: label for secret in secrets for label, form in forms_of(secret)}
        found = []
        for where, text in self.written():
            for form, label in forms.items():
                at = text.find(form)
                if at >= 0:
                    found.append(Found(where, label, text[max(0, at - 60) : at + len(form) + 20]))
        return found


def forms_of(secret: str) -> list[tuple[str, str]]:
    """Return a secret as it is, and as programs write it."""
    raw = secret.encode()
    return [
        ("raw", secret),
        ("quoted", quote(secret, safe="")),
        ("json", json.dumps(secret)[1:-1]),
        ("base64", base64.b64encode(raw).decode().rstrip("=")),
        ("base64url", base64.urlsafe_b64encode(raw).decode().rstrip("=")),
        ("hex", raw.hex()),
    ]


def shown(error: BaseException, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield everything that can be read off an error, its causes and its pickle included."""
    name = type(error).__name__
    yield f"str({name})", str(error)
    yield f"repr({name})", repr(error)
    yield f"attributes of {name}", repr(vars(error))
    for attribute, value in vars(error).items():  # such as the request that httpx hangs on its errors
        yield f"attribute {attribute} of {name}", repr(getattr(value, "__dict__", value))
    yield f"arguments of {name}", repr(error.args)
    yield f"notes of {name}", repr(getattr(error, "__notes__", []))
    if depth == 0:
        yield f"traceback of {name}", "".join(traceback.format_exception(error))
    try:
        yield f"pickle of {name}", pickle.dumps(error).decode("latin-1")
    except Exception:
        assert not type(error).__module__.startswith("asyncclient"), f"{name} does not pickle"
    nested = [error.__cause__, error.__context__, getattr(error, "last_error", None)]
    nested += list(getattr(error, "exceptions", ()))
    for other in nested:
        if isinstance(other, BaseException) and depth < 8:
            for where, text in shown(other, depth + 1):
                yield f"{where} below {name}", text
