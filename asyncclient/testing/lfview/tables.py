"""The service's data: users, resources, counters; each kept in the vault when it changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.lfview.kinds import prefix_of
from asyncclient.testing.lfview.vault import Vault

__all__ = ["Resource", "Resources", "User", "now"]

KIND = "resources"
_COUNTERS = "counters"


def now() -> str:
    """Return the present time as the service writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a key.

    Attributes:
        email: Address that invitations name.
        project: ``organization/project`` of uploads.
    """

    id: str
    email: str
    project: str
    accepted_terms: bool = True


@dataclass(slots=True)
class Resource:
    """A resource, a slide or a comment.

    Attributes:
        path: Of its ``self`` link. With it goes everything that lies below.
        kind: ``type`` of answers.
        body: Properties; pointers are paths.
        source: Header ``Source`` of the request that made it.
        invitations: Of a view: what was sent, oldest first.
        public: Of a view: whoever knows its address may read it.
    """

    path: str
    kind: str
    body: dict[str, Any]
    author: str
    created: str
    modified: str
    source: str | None = None
    invitations: list[dict[str, Any]] = field(default_factory=list)
    public: bool = False

    @property
    def uid(self) -> str:
        """Its id."""
        return self.path.rpartition("/")[2]

    @property
    def project(self) -> str:
        """``organization/project`` it belongs to."""
        return "/".join(self.path.split("/")[4:6])


class Resources:
    """All resources, by path."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._rows = {key: Resource(**record) for key, record in vault.load(KIND)}
        self._counters = Counter(next((record for _, record in vault.load(_COUNTERS)), {}))

    def new_uid(self, kind: str) -> str:
        """Return an id that was never used: ``array1``, ``array2``, and so on."""
        prefix = prefix_of(kind)
        self._counters[prefix] += 1
        self._vault.save(_COUNTERS, "all", dict(self._counters))
        return f"{prefix}{self._counters[prefix]}"

    def save(self, resource: Resource) -> Resource:
        """Add a resource, or keep what changed of it."""
        self._rows[resource.path] = resource
        self._vault.save(KIND, resource.path, asdict(resource))
        return resource

    def find(self, path: str) -> Resource | None:
        """Return the resource at a path, if there is one."""
        return self._rows.get(path)

    def get(self, path: str) -> Resource:
        """Return the resource at a path.

        Raises:
            Refusal: 404, there is none.
        """
        resource = self._rows.get(path)
        if resource is None:
            raise Refusal(404, "not found")
        return resource

    def remove(self, path: str) -> list[str]:
        """Delete a resource and what lies below its path; return the paths of what is gone."""
        gone = [key for key in self._rows if key == path or key.startswith(f"{path}/")]
        for key in gone:
            del self._rows[key]
            self._vault.remove(KIND, key)
        return gone

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)
