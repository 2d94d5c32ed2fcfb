"""The resources that a resource points to, and what is known of their state.

Changes are not watched: no assignment sets a mark. What would be sent is compared with what was sent, by a digest of
body, URLs of children and content. So changes within lists, options, scenes, arrays and files are found like
assignments, a value that was changed and changed back is no change, replacing a URL by its object is none either, and a
child that got another URL has its parents sent. ``touch`` overrules the comparison.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from asyncclient.lfview._arrays import ArrayContent
from asyncclient.lfview._base import Resource, kinds_of, url_of
from asyncclient.lfview._images import ImageContent
from asyncclient.lfview.exceptions import NotAResource

__all__ = [
    "compute_children",
    "construct_upload_dict",
    "fingerprint",
    "forget",
    "is_uploaded",
    "keep_links",
    "mark_fetched",
    "mark_sent",
    "resolve",
    "touch",
]

Node: TypeAlias = "Resource | str"


def _pointers(resource: Resource) -> Iterator[Node]:
    kinds = kinds_of(type(resource))
    for name in sorted(kinds):
        if (value := resource.__dict__[name]) is not None:
            yield from kinds[name].pointers(value)


def _key(node: Node) -> object:
    return node if isinstance(node, str) else id(node)


def compute_children(resource: Node) -> list[Node]:
    """Return everything a resource points to, children before their parents, each once; URLs as they are.

    Options, scenes and rulers are not looked into. The resource itself is left out, even if it points to itself. Of a
    URL nothing is known, so it has no children.
    """
    if isinstance(resource, str):
        return []
    found: dict[object, Node] = {}
    begun = {_key(resource)}
    stack = [(resource, _pointers(resource))]
    while stack:
        owner, rest = stack[-1]
        child = next(rest, None)
        if child is None:
            stack.pop()
            if stack:
                found[_key(owner)] = owner
        elif isinstance(child, str):
            found.setdefault(child, child)
        elif _key(child) not in begun:
            begun.add(_key(child))
            stack.append((child, _pointers(child)))
    return list(found.values())


def touch(resource: Node, recursive: bool = False) -> None:
    """Have a resource sent with the next upload, though nothing changed.

    Args:
        resource: An object; URLs are not looked at.
        recursive: Whether every object it points to is sent too.
    """
    for node in [resource, *(compute_children(resource) if recursive else ())]:
        if isinstance(node, Resource):
            node._touched = True


def fingerprint(resource: Resource) -> bytes:
    """Return a digest of what an upload would send: the body, the URLs of children, the content.

    It finds what assignments do not show: changes within lists, options, scenes and arrays. All content is read, so
    large resources are better looked at in a thread.
    """
    digest = hashlib.blake2b(digest_size=20)
    # A child without URL stands for itself by nothing: whatever URL it gets, its parent has to be sent.
    body = resource.to_json(lambda child: child.url)
    digest.update(repr(body).encode("utf-8", "surrogatepass"))
    if isinstance(resource, (ArrayContent, ImageContent)):
        digest.update(b"\0" + resource.content_digest())
    return digest.digest()


def is_uploaded(resource: Node) -> bool:
    """Tell whether the service has a resource as it is; of a URL it is taken for granted.

    True needs links, no :func:`touch` since, and the same :func:`fingerprint` as when it was last sent or fetched.
    """
    if isinstance(resource, str):
        return True
    if resource.url is None or resource._touched:
        return False
    return resource._sent == fingerprint(resource)


def keep_links(resource: Resource, links: Mapping[str, str]) -> None:
    """Note the URLs of a resource that was created, content or not; those it has already are kept."""
    if resource._links is None:
        resource._links = dict(links)


def mark_sent(resource: Resource, links: Mapping[str, str] | None = None, *, state: bytes | None = None) -> None:
    """Note that the service has a resource, content included.

    Args:
        resource: What was sent or fetched.
        links: What the service gave it; those it has already are kept.
        state: Its fingerprint when it was sent, if it may have changed meanwhile. Default: as it is now.
    """
    if links is not None:
        keep_links(resource, links)
    resource._sent = fingerprint(resource) if state is None else state
    resource._touched = False


def mark_fetched(answers: Iterable[tuple[Resource, Mapping[str, str]]]) -> None:
    """Note that resources are as the service has them, all with their links, pointers resolved or not."""
    found = list(answers)
    for resource, links in found:  # all before the first fingerprint: parents look at the URLs of their children
        resource._links = dict(links)
    for resource, _ in found:
        mark_sent(resource)


def forget(resource: Resource) -> None:
    """Make a resource new, as after its deletion."""
    resource._links, resource._sent, resource._touched = None, None, False


def resolve(resource: Resource, known: Mapping[str, Resource]) -> None:
    """Put objects in the place of URLs in the pointer properties; what is not known stays a URL.

    Raises:
        ValidationError: An object is of a class that the property cannot point to.
    """
    for name, kind in kinds_of(type(resource)).items():
        value = resource.__dict__[name]
        if value is None or not any(isinstance(node, str) and node in known for node in kind.pointers(value)):
            continue
        found: Any = [_known(node, known) for node in value] if isinstance(value, list) else known[value]
        # accept, not set: what was fetched is shown as it is, its shapes are judged by validate()
        vars(resource)[name] = kind.accept(found)


def _known(node: Node, known: Mapping[str, Resource]) -> Node:
    return known.get(node, node) if isinstance(node, str) else node


def construct_upload_dict(resource: Resource) -> dict[str, Any]:
    """Return the JSON body of a resource; children stand as their URLs.

    Raises:
        NotAResource: The object is part of others, and none that can be uploaded.
        NotUploaded: A child has no URL yet.
    """
    if not isinstance(resource, Resource):
        raise NotAResource(f"{type(resource).__name__} cannot be uploaded on its own", argument="resource")
    return resource.to_json(url_of)
