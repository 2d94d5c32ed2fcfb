"""Job requests: which analytic runs on which data with which parameters. Pure, but for reading and writing files."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.voxel51.exceptions import RemoteDataPathError
from asyncclient.voxel51.utils import Serializable

__all__ = ["DATA_ID_FIELD", "JobRequest", "RemoteDataPath", "request_text"]

DATA_ID_FIELD: Final = "data-id"


class RemoteDataPath(Serializable):
    """A reference to uploaded data.

    Args:
        data_id: Of the data.

    Raises:
        RemoteDataPathError: There is none.
    """

    def __init__(self, data_id: str | None = None) -> None:
        if data_id is None:
            raise RemoteDataPathError("Invalid RemoteDataPath", argument="data_id")
        self.data_id = data_id

    @property
    def has_data_id(self) -> bool:
        """Whether it has an id."""
        return self.data_id is not None

    @property
    def is_valid(self) -> bool:
        """Whether it refers to anything."""
        return self.has_data_id

    @classmethod
    def from_data_id(cls, data_id: str) -> Self:
        """Refer to data by its id."""
        return cls(data_id=data_id)

    @staticmethod
    def is_remote_path_dict(val: Any) -> bool:
        """Tell whether a value is the JSON form of a reference."""
        return isinstance(val, Mapping) and val.get(DATA_ID_FIELD) is not None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {DATA_ID_FIELD: self.data_id}

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Self:
        """Make a reference of its JSON form.

        Raises:
            RemoteDataPathError: It has no data id.
        """
        if not isinstance(d, Mapping):
            raise ArgumentTypeError(f"a RemoteDataPath must be an object, not {type(d).__name__}", argument="d")
        if not cls.is_remote_path_dict(d):
            raise RemoteDataPathError(f"Invalid RemoteDataPath dict: {d}", argument="d")
        return cls(d[DATA_ID_FIELD])

    def __repr__(self) -> str:
        return f"RemoteDataPath({self.data_id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemoteDataPath) and other.data_id == self.data_id

    def __hash__(self) -> int:
        return hash(self.data_id)


class JobRequest(Serializable):
    """What a job is to do.

    ::

        request = JobRequest("voxel51/vehicle-sense")
        request.set_input("video", data_id=data["id"])
        request.set_parameter("accel", 1.0)

    Args:
        analytic: Name of the analytic.
        version: Of the analytic; None for the newest.
        compute_mode: A ``JobComputeMode``; None lets the platform choose.

    Attributes:
        inputs: References to data, by name.
        parameters: JSON values and references to data, by name.
    """

    def __init__(self, analytic: str | None, version: str | None = None, compute_mode: str | None = None) -> None:
        self.analytic = analytic
        self.version = version
        self.compute_mode = compute_mode
        self.inputs: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}

    def set_input(self, name: str, path: RemoteDataPath | Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """Set an input: a reference, or ``data_id=``.

        Raises:
            RemoteDataPathError: Neither is given.
        """
        self.inputs[name] = path or RemoteDataPath(**kwargs)

    def set_data_parameter(
        self, name: str, path: RemoteDataPath | Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Set a parameter that is data: a reference, or ``data_id=``.

        Raises:
            RemoteDataPathError: Neither is given.
        """
        self.parameters[name] = path or RemoteDataPath(**kwargs)

    def set_parameter(self, name: str, val: Any) -> None:
        """Set a parameter to a JSON value."""
        self.parameters[name] = val

    def check(self, doc: Mapping[str, Any]) -> None:
        """Compare the request with the documentation of its analytic, as ``get_analytic_doc`` gives it.

        Raises:
            ArgumentError: An input or parameter is not one of the analytic's, or one that it requires is not set; all
                of them are named.
        """
        problems = [
            *_mismatches("input", self.inputs, doc.get("inputs") or ()),
            *_mismatches("parameter", self.parameters, doc.get("parameters") or ()),
        ]
        if problems:
            raise ArgumentError(f"the request does not fit {self.analytic}: {'; '.join(problems)}", argument="inputs")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; version and compute mode are left out when None."""
        found = super().to_dict()
        return {name: value for name, value in found.items() if value is not None or name == "analytic"}

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Self:
        """Make a request of its JSON form. A parameter that is a data id and nothing else becomes a reference.

        Raises:
            RemoteDataPathError: An input is no reference.
        """
        request = cls(d.get("analytic"), d.get("version"), d.get("compute_mode"))
        for name, value in (d.get("inputs") or {}).items():
            request.inputs[name] = RemoteDataPath.from_dict(value)
        for name, value in (d.get("parameters") or {}).items():
            alone = RemoteDataPath.is_remote_path_dict(value) and len(value) == 1
            request.parameters[name] = RemoteDataPath.from_dict(value) if alone else value
        return request

    def __repr__(self) -> str:
        return f"<JobRequest for {self.analytic}: {', '.join(self.inputs) or 'no inputs'}>"


def request_text(job_request: Any) -> str:
    """Return the JSON of a job request, or of anything whose text is that.

    Raises:
        ArgumentError: It names no analytic, an input is no reference to data, or a parameter holds NaN.
        ArgumentTypeError: A parameter is no JSON value.
    """
    if isinstance(job_request, JobRequest):
        _check_members(job_request)
        return job_request.to_str()
    text = job_request.decode() if isinstance(job_request, bytes) else str(job_request)
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ArgumentTypeError(
            f"job_request must be a JobRequest or its JSON text, not {type(job_request).__name__}",
            argument="job_request",
        )
    return text


def _check_members(request: JobRequest) -> None:
    analytic: Any = request.analytic
    if not isinstance(analytic, str) or not analytic:
        raise ArgumentError(f"the job request names no analytic, but {request.analytic!r}", argument="job_request")
    for name, value in request.inputs.items():
        if not isinstance(value, RemoteDataPath) and not RemoteDataPath.is_remote_path_dict(value):
            raise RemoteDataPathError(
                f"input {name!r} of the job request must be a RemoteDataPath, not {type(value).__name__}",
                argument="job_request",
            )


def _mismatches(noun: str, given: Mapping[str, Any], declared: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    known = {entry.get("name"): entry for entry in declared}
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), [str(known_name) for known_name in known], n=1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            yield f"{noun} {name!r} is unknown{hint}"
    for wanted, entry in known.items():
        if entry.get("required") and wanted not in given:
            yield f"{noun} {wanted!r} is missing"
