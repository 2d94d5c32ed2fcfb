"""``asyncclient SERVICE api``: every operation of a service by its name, with arguments as text."""

from __future__ import annotations

import difflib
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from asyncclient.cli._commands import before, finish
from asyncclient.cli._errors import OK, Problem
from asyncclient.cli._output import Output

__all__ = [
    "Catalogue",
    "Describe",
    "Group",
    "Operation",
    "Param",
    "Service",
    "add_api",
    "answer",
    "arguments_of",
    "by_module",
    "complete",
    "description",
    "plain",
]

_NUMBERS: Final = {"int": int, "bool": bool, "float": (int, float)}
_MANY: Final = re.compile(r"(Iterable|Sequence|list)\[")


# --- which operations there are --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The operations of a service.

    Attributes:
        groups: Functions by group and name.
    """

    groups: Mapping[str, Mapping[str, Any]]

    def group(self, name: str) -> str:
        """Return the name of a group, given in any of its forms: ``projects``, ``projects_api``, ``ProjectsApi``.

        Raises:
            Problem: There is none; says which name is near.
        """
        plainly = _snake(name.replace("-", "_")) if name != name.lower() else name.replace("-", "_")
        return _known(plainly.removesuffix("_api"), self.groups, "group")

    def operation(self, group: str, name: str) -> Any:
        """Return an operation of a group.

        Raises:
            Problem: There is none; says which name is near.
        """
        functions = self.groups[group]
        return functions[_known(name.replace("-", "_"), functions, "operation")]


def by_module(package: str, client: type) -> Catalogue:
    """Collect operations of generated modules: a module is a group, its descriptors name the methods of the client.

    Args:
        package: Name of the package with the modules.
        client: The class that has the methods, also those written by hand.
    """
    groups = {}
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        names = (name.lower() for name in importlib.import_module(f"{package}.{info.name}").__all__ if name.isupper())
        found = {name: getattr(client, name) for name in sorted(names) if hasattr(client, name)}
        if found:
            groups[info.name] = found
    return Catalogue(groups)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


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


# --- arguments -------------------------------------------------------------------------------------------------------


def arguments_of(operation: Any, given: Sequence[str]) -> dict[str, Any]:
    """Read ``name=value`` texts as arguments of an operation.

    Values are text, numbers, ``true``, ``false`` or JSON, as the argument is declared; ``name=@path`` reads JSON from a
    file. A name that is given several times makes a list.

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
    if _MANY.match(declared) or (len(texts) > 1 and _MANY.search(declared)):
        if len(texts) == 1 and texts[0][:1] in ("[", "@"):
            return _json(name, texts[0])
        items = "Mapping" in declared
        return [_json(name, text) if items else text for text in texts]
    if len(texts) > 1 and not declared.startswith("FileInput"):
        raise Problem(f"--param {name}: given {len(texts)} times, takes one value")
    if declared.startswith(("FileInput", "Destination")):
        return list(texts) if len(texts) > 1 else texts[0]
    return _one_value(name, declared, texts[0])


def _one_value(name: str, declared: str, text: str) -> Any:
    for kind, accepted in _NUMBERS.items():
        if re.match(rf"{kind}\b", declared):
            return _number(name, text, kind, accepted)
    if declared.startswith("Any"):
        return _anything(name, text)
    if "Mapping" in declared:
        return text if declared.startswith("str ") and text[:1] not in ("{", "@") else _json(name, text)
    return text


def _anything(name: str, text: str) -> Any:
    # Numbers stay text: names are more often given than numbers where the service's description does not say.
    return _json(name, text) if text[:1] in ("{", "[", '"', "@") or text in ("true", "false", "null") else text


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


# --- the command -----------------------------------------------------------------------------------------------------


def _own(client: Any, _group: str, name: str) -> Callable[..., Awaitable[Any]]:
    found: Callable[..., Awaitable[Any]] = getattr(client, name)
    return found


@dataclass(frozen=True, slots=True)
class Service:
    """What the command needs of a service.

    Attributes:
        catalogue: Returns its operations.
        run: Does work with an open client, and ends the program.
        method: Returns an operation, bound to the client; by client, group and name. Default: its method of that name.
    """

    catalogue: Callable[[], Catalogue]
    run: Callable[[Callable[[Any], Awaitable[int | None]]], None]
    method: Callable[[Any, str, str], Callable[..., Awaitable[Any]]] = _own


_catalogues: Final[dict[str, Callable[[], Catalogue]]] = {}


def _groups(context: typer.Context, incomplete: str) -> list[str]:
    return _beginning(_catalogue(context).groups, incomplete)


def _operations(context: typer.Context, incomplete: str) -> list[str]:
    return _beginning(_catalogue(context).groups.get(context.params.get("group") or "", ()), incomplete)


def _catalogue(context: typer.Context) -> Catalogue:
    assert context.parent is not None
    return _catalogues[context.parent.info_name or ""]()


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))


Group = Annotated[
    str | None, typer.Argument(help="A group of operations. Default: list the groups.", autocompletion=_groups)
]
Operation = Annotated[
    str | None, typer.Argument(help="One of its operations. Default: list them.", autocompletion=_operations)
]
Param = Annotated[
    list[str] | None,
    typer.Option("-p", "--param", metavar="NAME=VALUE", help="An argument; NAME=@FILE reads JSON from a file."),
]
Describe = Annotated[bool, typer.Option("--describe", help="Show the arguments, and call nothing.")]


def complete(name: str, catalogue: Callable[[], Catalogue]) -> None:
    """Have shells complete groups and operations.

    Args:
        name: Of the group of commands that has ``api``.
        catalogue: Returns the operations.
    """
    _catalogues[name] = catalogue


def add_api(parent: typer.Typer, name: str, service: Service) -> None:
    """Add the command ``api`` to the group of a service.

    Args:
        parent: The group.
        name: Of the group.
        service: Whose operations.
    """
    complete(name, service.catalogue)

    @parent.command()
    def api(group: Group = None, operation: Operation = None, param: Param = None, describe: Describe = False) -> None:
        """Call an operation and print its answer: JSON, or content as it is."""
        answer(service, group, operation, param or (), describe=describe)


def answer(service: Service, group: str | None, operation: str | None, given: Sequence[str], *, describe: bool) -> None:
    """Do what the command does: call an operation, describe it, or list what there is; ends the program."""
    if group is None or operation is None or describe:
        finish(lambda: _described(service.catalogue(), group, operation))
    _call(service, group, operation, given)


def _described(catalogue: Catalogue, group: str | None, operation: str | None) -> int:
    output = Output()
    if group is None:
        names = sorted(catalogue.groups)
        output.result(names, "\n".join(names))
        return OK
    found = catalogue.group(group)
    if operation is None:
        names = sorted(catalogue.groups[found])
        output.result(names, "\n".join(names))
        return OK
    text = description(catalogue.operation(found, operation))
    output.result({"description": text}, text)
    return OK


def _call(service: Service, group: str, operation: str, given: Sequence[str]) -> None:
    def prepared() -> tuple[str, str, dict[str, Any]]:
        catalogue = service.catalogue()
        found = catalogue.group(group)
        function = catalogue.operation(found, operation)
        return found, function.__name__, arguments_of(function, given)

    # What is wrong with the arguments is said without a key, and without asking the service.
    (found, name, arguments) = before(prepared)

    async def work(session: Any) -> int:
        _write(await service.method(session, found, name)(**arguments))
        return OK

    service.run(work)


def _write(found: Any) -> None:
    if isinstance(found, (bytes, bytearray)):
        sys.stdout.buffer.write(found)
        sys.stdout.flush()
    elif found is not None:
        print(json.dumps(plain(found), indent=4, ensure_ascii=False))


def plain(value: Any) -> Any:
    """Return an answer as JSON can say it, with the names of the wire."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return json.loads(json.dumps(value, default=str))
