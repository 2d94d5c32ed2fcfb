"""``asyncclient flywheel api``: every operation by its name, with arguments as text."""

from __future__ import annotations

import difflib
import inspect
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from asyncclient.cli._errors import OK, Problem
from asyncclient.cli._flywheel_run import Session, plain

__all__ = ["arguments_of", "call", "description", "group_of", "groups", "operation_of", "operations"]

_NUMBERS: Final = {"int": int, "bool": bool, "float": (int, float)}
_MANY: Final = re.compile(r"(Iterable|Sequence|list)\[")


def groups() -> dict[str, type]:
    """Return the groups by their names: ``projects``, ``data_view_executions`` and so on."""
    from asyncclient.flywheel._generated.operations import apis

    return {_snake(name.removesuffix("Api")): getattr(apis, name) for name in apis.__all__}


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def group_of(name: str) -> type:
    """Return a group by its name, in any of its forms: ``projects``, ``projects_api``, ``ProjectsApi``.

    Raises:
        Problem: There is none; says which name is near.
    """
    known = groups()
    plainly = _snake(name.replace("-", "_")) if name != name.lower() else name.replace("-", "_")
    return known[_known(plainly.removesuffix("_api"), known, "group")]


def operations(group: type) -> list[str]:
    """Return the names of the operations of a group."""
    return sorted(name for name in dir(group) if not name.startswith("_"))


def operation_of(group: type, name: str) -> Any:
    """Return an operation of a group.

    Raises:
        Problem: There is none; says which name is near.
    """
    return getattr(group, _known(name.replace("-", "_"), operations(group), "operation"))


def _known(name: str, known: Iterable[str], what: str) -> str:
    names = list(known)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=3)
    hint = f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(sorted(names))}"
    raise Problem(f"there is no {what} {name!r}; {hint}")


def description(operation: Any) -> str:
    """Return an operation and its arguments as text."""
    signature = inspect.signature(operation)
    lines = [f"{operation.__name__}: {inspect.getdoc(operation) or ''}".rstrip(), "", "Parameters:"]
    for name, param in _params(signature).items():
        need = "required" if param.default is param.empty else "optional"
        lines.append(f"  {name} ({need}): {param.annotation}")
    return "\n".join([*lines, "", f"Gives: {signature.return_annotation}"])


def _params(signature: inspect.Signature) -> dict[str, inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {name: param for name, param in signature.parameters.items() if name != "self" and param.kind in kinds}


def arguments_of(operation: Any, given: Sequence[str]) -> dict[str, Any]:
    """Read ``name=value`` texts as arguments of an operation.

    Values are text, numbers, ``true``, ``false`` or JSON, as the argument is declared; ``name=@path`` reads the value
    from a file. A name that is given several times makes a list.

    Raises:
        Problem: One has no name, or one the operation does not have; a value cannot be read; one that is required is
            missing.
    """
    params = _params(inspect.signature(operation))
    texts: dict[str, list[str]] = {}
    for item in given:
        name, sign, text = item.partition("=")
        if not sign or not name:
            raise Problem(f"--param takes name=value, not {item!r}")
        texts.setdefault(_known(name.strip().replace("-", "_"), params, "parameter"), []).append(text)
    missing = [name for name, param in params.items() if param.default is param.empty and name not in texts]
    if missing:
        raise Problem(f"{operation.__name__} needs --param {', '.join(f'{name}=...' for name in missing)}")
    return {name: _value(name, str(params[name].annotation), values) for name, values in texts.items()}


def _value(name: str, declared: str, texts: Sequence[str]) -> Any:
    if _MANY.match(declared):
        if len(texts) == 1 and texts[0][:1] in ("[", "@"):
            return _json(name, texts[0])
        items = "Mapping" in declared
        return [_json(name, text) if items else text for text in texts]
    if len(texts) > 1 and not declared.startswith("FileInput"):
        raise Problem(f"--param {name}: given {len(texts)} times, takes one value")
    if declared.startswith(("FileInput", "Destination")):
        return list(texts) if len(texts) > 1 else texts[0]
    text = texts[0]
    for kind, accepted in _NUMBERS.items():
        if re.match(rf"{kind}\b", declared):
            return _number(name, text, kind, accepted)
    if "Mapping" in declared or declared.startswith("Any"):
        return text if declared.startswith("str ") and text[:1] not in ("{", "@") else _json(name, text)
    return text


def _number(name: str, text: str, kind: str, accepted: Any) -> Any:
    try:
        value = json.loads(text.lower())
    except ValueError:
        value = None
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind != "bool"):
        raise Problem(f"--param {name}: {text!r} is not of type {kind}")
    return value


def _json(name: str, text: str) -> Any:
    try:
        if text.startswith("@"):
            text = Path(text[1:]).read_text("utf-8")
        return json.loads(text)
    except OSError as error:
        raise Problem(f"--param {name}: {text[1:]}: {error.strerror}") from error
    except ValueError as error:
        raise Problem(f"--param {name}: is not JSON: {error}") from error


async def call(session: Session, group: str, operation: Any, arguments: Mapping[str, Any]) -> int:
    """Call an operation and write what it gives to standard output: JSON, or content as it is."""
    api = getattr(session.client, f"{group}_api")
    found = await getattr(api, operation.__name__)(**arguments)
    if isinstance(found, (bytes, bytearray)):
        sys.stdout.buffer.write(found)
        sys.stdout.flush()
    elif found is not None:
        print(json.dumps(plain(found), indent=4, ensure_ascii=False))
    return OK
