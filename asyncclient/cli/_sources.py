"""Where each service's credentials come from. Nothing of a value is ever in what this module returns.

Every source is read by the function that the service's client reads it with; what it returns is thrown away but for the
host. The order here is that of the clients, and a test compares the two.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from asyncclient.errors import AsyncClientError

__all__ = ["READERS", "ServiceReport", "Source", "report_of"]


@dataclass(frozen=True, slots=True)
class Source:
    """One place where credentials may be.

    Attributes:
        kind: ``option``, ``environment``, ``file``, ``prompt`` or ``default``.
        name: Names of variables, a path, an option.
        state: ``set``, ``not set``, ``unusable`` or ``possible``, for what is given with a command.
        detail: Why it is unusable, or what else there is to say.
        mode: Of a file, such as ``0600``.
        safe: Whether only the owner of a file may read it; None where that cannot be told.
    """

    kind: str
    name: str
    state: str
    detail: str = ""
    mode: str | None = None
    safe: bool | None = None


@dataclass(slots=True)
class ServiceReport:
    """What is known of the credentials of a service.

    Attributes:
        service: Its name.
        sources: In their order: the first that is set is used.
        used: Which of them it is, or None.
        host: Where requests go, or None.
        problem: Why there is no usable set of credentials, or None.
        notes: What else is looked at, by name.
    """

    service: str
    sources: Sequence[Source] = ()
    used: Source | None = None
    host: str | None = None
    problem: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def configured(self) -> bool:
        """Whether the service can be asked."""
        return self.used is not None and self.problem is None


Reader = Callable[[Mapping[str, str]], ServiceReport]


def report_of(service: str, environment: Mapping[str, str] = os.environ) -> ServiceReport:
    """Return what is known of the credentials of a service."""
    return READERS[service](environment)


def _environment(names: Iterable[str], environment: Mapping[str, str], *, needed: Iterable[str] = ()) -> Source:
    names = list(names)
    needed = list(needed) or names
    missing = [name for name in needed if not environment.get(name)]
    label = ", ".join(names)
    if not missing:
        return Source("environment", label, "set")
    if len(missing) == len(needed):
        return Source("environment", label, "not set")
    return Source("environment", label, "unusable", f"missing: {', '.join(missing)}")


def _file(path: Path, read: Callable[[], object]) -> Source:
    """Describe a file that ``read`` can make something of; it raises an error of this package if not."""
    mode, safe = _mode(path)
    if not path.exists():
        return Source("file", str(path), "not set", "there is no such file")
    try:
        read()
    except AsyncClientError as error:
        return Source("file", str(path), "unusable", str(error), mode, safe)
    return Source("file", str(path), "set", "" if safe is not False else "others can read it: chmod 600", mode, safe)


def _mode(path: Path) -> tuple[str | None, bool | None]:
    try:
        bits = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None, None
    return f"{bits:04o}", None if os.name != "posix" else not bits & 0o077


def _first(sources: Iterable[Source]) -> Source | None:
    return next((source for source in sources if source.state == "set"), None)


def _finish(report: ServiceReport, host: Callable[[], object]) -> ServiceReport:
    """Ask the client's own function where it would go; it has the last word on whether anything is usable."""
    try:
        report.host = str(host())
    except AsyncClientError as error:
        report.problem = str(error)
    return report


def _las(environment: Mapping[str, str]) -> ServiceReport:
    from asyncclient._url import BaseUrl
    from asyncclient.las import credentials as las

    path = las.profile_path()
    sources = [
        Source("option", "--profile NAME", "possible", _profiles(las.profile_names())),
        _environment(las.VARIABLES, environment),
        _file(path, las.read_from_file),
    ]
    report = ServiceReport("las", sources, _first(sources))
    if (path.parent / "token-cache.json").exists():
        mode, safe = _mode(path.parent / "token-cache.json")
        report.notes = {"token_cache": str(path.parent / "token-cache.json"), "mode": mode, "safe": safe}
    return _finish(report, lambda: BaseUrl.parse(las.guess_credentials().api_endpoint).origin)


def _profiles(names: Sequence[str]) -> str:
    return f"profiles: {', '.join(names)}" if names else ""


def _voxel51(environment: Mapping[str, str]) -> ServiceReport:
    from asyncclient.voxel51.tokens import USER, load

    named = environment.get(USER.token_variable)
    sources = [_environment([USER.key_variable, USER.url_variable], environment, needed=[USER.key_variable])]
    if named:
        found = _file(Path(named), lambda: load(USER, named))
        state = "unusable" if found.state == "not set" else found.state
        sources.append(Source("environment", USER.token_variable, state, found.detail, found.mode, found.safe))
    else:
        sources.append(Source("environment", USER.token_variable, "not set"))
    sources.append(_file(Path(USER.path), lambda: load(USER, USER.path)))
    used = _first(sources[:2] if named else sources)
    return _finish(ServiceReport("voxel51", sources, used), lambda: load(USER).base().origin)


def _flywheel(environment: Mapping[str, str]) -> ServiceReport:
    from asyncclient.cli._flywheel_run import api_key
    from asyncclient.flywheel._keys import API_KEY_VARIABLE, login_path, parse_key, read_login

    sources = [_environment([API_KEY_VARIABLE], environment), _file(login_path(), lambda: parse_key(read_login()))]
    report = ServiceReport("flywheel", sources, _first(sources))
    if environment.get("FW_SSL_CERT_FILE"):
        report.notes = {"FW_SSL_CERT_FILE": environment["FW_SSL_CERT_FILE"]}
    return _finish(report, lambda: parse_key(api_key() or read_login()).base.origin)


def _lfview(environment: Mapping[str, str]) -> ServiceReport:
    from asyncclient.cli._lfview_run import DISCOVERY_VARIABLE, SERVICE_VARIABLE, place
    from asyncclient.lfview._account import DISCOVERY_URL, discovery_target
    from asyncclient.lfview._resuming import API_KEY_VARIABLE

    sources = [_environment([API_KEY_VARIABLE], environment)]
    report = ServiceReport("lfview", sources, _first(sources))
    report.notes = {name: environment[name] for name in (SERVICE_VARIABLE,) if environment.get(name)}
    if report.used is None:
        report.problem = f"set {API_KEY_VARIABLE}"
    if environment.get(DISCOVERY_VARIABLE):
        report.notes = {**report.notes, DISCOVERY_VARIABLE: "set"}
    problem = report.problem
    _finish(report, lambda: discovery_target(place().get("discovery_url", DISCOVERY_URL), "", None)[0])
    report.problem = problem or report.problem
    return report


def _sticky_pi(environment: Mapping[str, str]) -> ServiceReport:
    from asyncclient.cli import _sticky_pi_run as run
    from asyncclient.sticky_pi._connector import AsyncRemoteAPIConnector

    host = environment.get(run.HOST_VARIABLE)
    if not host:
        folder = environment.get(run.FOLDER_VARIABLE) or run.LOCAL_FOLDER
        local = Source("default", f"the API embedded in this program, in the folder {folder}", "set")
        return ServiceReport("sticky-pi", [_environment([run.HOST_VARIABLE], environment), local], local)
    password = _environment([run.PASSWORD], environment)
    sources = [password, Source("prompt", "asked for on the terminal", "possible")]
    report = ServiceReport("sticky-pi", sources, _first(sources))
    report.notes = {run.USER_VARIABLE: "set" if environment.get(run.USER_VARIABLE) else "not set"}
    if report.used is None:
        report.problem = f"set {run.PASSWORD}, or be asked for it"
    problem = report.problem
    _finish(report, lambda: AsyncRemoteAPIConnector(host, run.USER_DEFAULT, "-")._url.origin)
    report.problem = report.problem or problem
    return report


READERS: Final[Mapping[str, Reader]] = {
    "flywheel": _flywheel,
    "las": _las,
    "lfview": _lfview,
    "sticky-pi": _sticky_pi,
    "voxel51": _voxel51,
}
"""By service."""
