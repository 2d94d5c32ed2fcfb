"""Everything the emulator of LF View remembers."""

from __future__ import annotations

from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asyncclient.testing._contract import Refusal
from asyncclient.testing._state import EmulatorState
from asyncclient.testing.lfview.keeps import Keep, Keeps
from asyncclient.testing.lfview.kinds import FILES, canonical, map_pointers, project_path
from asyncclient.testing.lfview.options import Options
from asyncclient.testing.lfview.sessions import Session
from asyncclient.testing.lfview.storage import Storage
from asyncclient.testing.lfview.tables import Resource, Resources, User, now
from asyncclient.testing.lfview.vault import Vault

__all__ = ["STORAGE", "LfviewState"]

STORAGE = "storage"  # first segment of the paths of contents
_KINDS = ("resources", "counters", "sessions", "users", "content")


class LfviewState(EmulatorState):
    """State of the emulator of LF View. May be used from any thread.

    Attributes:
        options: May be changed at any time, except ``folder``, ``keep_files``, ``keep_requests`` and what describes the user.
        users: By key.
        resources: By path.
        sessions: Upload sessions by id, complete ones too.
        storage: The bytes of contents.
        keeps: Chunks of which only a part will be kept.
    """

    def __init__(self, options: Options) -> None:
        super().__init__(keep_requests=options.keep_requests)
        self.options = options
        folder = None if options.folder is None else Path(options.folder)
        self._vault = Vault(folder)
        self.storage = Storage(None if folder is None else folder / "content", keep=options.keep_files)
        self._begin()

    def _begin(self) -> None:
        options = self.options
        self.keeps = Keeps()
        project = f"{options.organization}/{options.project}"
        email = f"{options.user_id}@emulator.example"
        self.users = {options.api_key: User(options.user_id, email, project, options.accepted_terms)}
        self.users |= {key: User(**record) for key, record in self._vault.load("users")}
        self.resources = Resources(self._vault)
        self.sessions = {key: Session(**record) for key, record in self._vault.load("sessions")}

    def reset(self) -> None:
        """Start over: no requests, faults, resources or contents, and one user. What the folder holds is deleted too."""
        super().reset()
        self.storage.close()
        self._vault.clear(*_KINDS)
        self._begin()

    def add_user(
        self, api_key: str, user_id: str, *, organization: str, project: str, accepted_terms: bool = True
    ) -> User:
        """Let somebody else in, whose address is ``<user_id>@emulator.example``."""
        user = User(user_id, f"{user_id}@emulator.example", f"{organization}/{project}", accepted_terms)
        self.users[api_key] = user
        self._vault.save("users", api_key, asdict(user))
        return user

    def add(
        self, kind: str, body: dict[str, Any], *, path: str, content: bytes | None = None, **facts: Any
    ) -> Resource:
        """Put a resource where a test wants it, without asking whether it makes sense.

        Args:
            kind: ``files/array``, ``views`` and so on.
            body: As a client would send it.
            path: Of its ``self`` link, or the link.
            content: Complete content of a file.
            facts: Other members of :class:`~asyncclient.testing.lfview.tables.Resource`: ``author``, ``created``.
        """
        row = Resource(
            urlsplit(path).path, kind, {}, **{"author": "user1", "created": now(), "modified": now(), **facts}
        )
        row.body = map_pointers(body, lambda pointer, _: canonical(pointer, row.project))
        self.resources.save(row)
        if kind in FILES:
            session = self.open_session(row.uid, row.path, row.body)
            if content is not None:
                self.storage.put(session.content_id, content)
                session.kept_bytes = session.total_bytes = len(content)
                self.finish(session)
        return row

    def find(self, url: str) -> Resource | None:
        """Return the resource with this link, whatever its host; of the view service too."""
        path = urlsplit(url).path
        return self.resources.find(path) or self.resources.find(canonical(path, "")) or self.find_view(path)

    def find_view(self, path: str) -> Resource | None:
        """Return the view with this path in the view service."""
        return self.resources.find(project_path(path))

    def publish(self, view: str, *, public: bool = True) -> None:
        """Let everybody read a view, without a key too.

        Args:
            view: One of its links.
            public: False: only its owner and whoever was invited.
        """
        row = self.find(view)
        if row is None or row.kind != "views":
            raise ValueError(f"there is no view {view}")
        row.public = public
        self.resources.save(row)

    def open_session(self, session_id: str, owner: str, body: dict[str, Any]) -> Session:
        """Open an upload session, in place of the one that had this id."""
        old = self.sessions.get(session_id)
        generation = 1
        if old is not None:
            generation = old.generation + 1
            self.storage.discard(old.content_id)
        encoding = body.get("content_encoding")
        session = Session(session_id, owner, body["content_length"], body["content_type"], encoding, generation)
        self.sessions[session_id] = session
        self.save(session)
        return session

    def save(self, session: Session) -> None:
        """Keep what changed of a session."""
        self._vault.save("sessions", session.id, session.record())

    def finish(self, session: Session) -> None:
        """Let the content of a session be complete."""
        session.completed = now()
        self.save(session)

    def close_sessions(self, owners: list[str]) -> None:
        """Delete the sessions of resources that are gone."""
        for session in list(self.sessions.values()):
            if session.owner in owners:
                del self.sessions[session.id]
                self._vault.remove("sessions", session.id)
                self.storage.discard(session.content_id)

    def content(self, url: str) -> bytes:
        """Return the bytes an upload session keeps, complete or not.

        Args:
            url: ``links.location``, its path, or its last segment.

        Raises:
            KeyError: There is no such session.
        """
        session = self.sessions[urlsplit(url).path.rpartition("/")[2]]
        return self.storage.get(session.content_id, session.kept_bytes)

    def expire_sessions(self, pattern: str = "*") -> int:
        """Let the incomplete upload sessions expire whose id matches this shell pattern; return how many.

        They answer ``options.expired_status`` from now on. A change of the resource opens a new session.
        """
        expired = 0
        for session in list(self.sessions.values()):
            if session.completed is None and fnmatchcase(session.id, pattern):
                session.expired_status = self.options.expired_status
                session.kept_bytes = 0
                self.storage.discard(session.content_id)
                self.save(session)
                expired += 1
        return expired

    def keep_next(
        self,
        kept_bytes: int | None,
        *,
        status: int | None = None,
        times: int | None = 1,
        path: str | None = None,
        after: int = 0,
    ) -> None:
        """Keep only so many bytes of the next chunks, and say so in the answer, or answer with an error.

        Args:
            kept_bytes: At most so many; 0 keeps nothing, None everything.
            status: Answer with this, whatever was kept.
            times: How many chunks; None for all until :meth:`clear_faults`.
            path: Only paths that match this shell pattern: ``/storage/array*``.
            after: Let so many chunks pass first.
        """
        self.keeps.add(Keep(kept_bytes, status), times=times, path=path, after=after)

    def clear_faults(self) -> None:
        """Forget the faults that have not happened yet."""
        super().clear_faults()
        self.keeps.clear()

    def user_of(self, authorization: str | None) -> User | None:
        """Return who a request is from; None if it has no key.

        Raises:
            Refusal: 401, the key is nobody's.
        """
        if authorization is None:
            return None
        scheme, _, key = authorization.partition(" ")
        user = self.users.get(key) if scheme.lower() == "bearer" else None
        if user is None:
            raise Refusal(401, "unauthorized")
        return user
