"""Classes that put the operations of all tags together, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from asyncclient._codegen._description import pascal
from asyncclient._codegen._ir import Module
from asyncclient._codegen._settings import Service, Surface
from asyncclient._codegen._text import LINE, docstring, header, literal_list

__all__ = ["lazy_table", "source_of", "write_groups", "write_lazy_package", "write_package"]


def source_of(service: Service) -> str:
    """Return the file that the package of a service is generated from, relative to the repository."""
    return f"asyncclient/{service.name}/openapi.json"


def write_lazy_package(
    service: Service, surface: Surface, classes: Sequence[tuple[str, str]], homes: Mapping[str, Sequence[str]]
) -> Module:
    """Write one class of all operations, each loaded when it is first used."""
    package = f"{service.package}.operations"
    lines = [f"    from {package}.{tag} import {name}\n" for tag, name in classes]
    (base_module, _, base), (module, _, function) = surface.base.partition(":"), surface.lazy.partition(":")
    doc = docstring([f"Every operation of {service.title} that is one request."], {}, 8)
    text = (
        f'{header(source_of(service))}"""The operations of {service.title}, each loaded when it is first used."""\n\n'
        "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\n"
        f"if TYPE_CHECKING:\n{''.join(sorted(lines))}\n"
        f"    class Operations({', '.join(name for _, name in classes)}):\n{doc}\n"
        f"else:\n    from {base_module} import {base}\n    from {module} import {function}\n\n"
        f'    Operations = {function}("Operations", {base}, __name__, {{\n{lazy_table(homes)}    }})\n\n'
        '__all__ = ["Operations"]\n'
    )
    return Module("operations/__init__.py", text)


def lazy_table(homes: Mapping[str, Sequence[str]]) -> str:
    """Write which class defines which methods."""
    indent = " " * 12
    return "".join(
        f'        "{address}": """\n'
        + textwrap.fill(" ".join(names), LINE, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
        + '\n        """,\n'
        for address, names in homes.items()
        if names
    )


def write_groups(service: Service, surface: Surface, tags: Sequence[str]) -> list[Module]:
    """Write a class per tag that holds its operations, and apart from these the properties that give them."""
    module, _, base = surface.groups.partition(":")
    lines = [f"from {service.package}.operations.{tag} import {pascal(tag)}Operations\n" for tag in tags]
    lines.append(f"from {module} import {base}\n")
    home = f"{service.package}.operations.apis"
    classes = "".join(
        f"\n\nclass {pascal(tag)}Api({base}, {pascal(tag)}Operations):\n"
        f'    """Operations on {tag.replace("_", " ")}, as ``client.{tag}_api``."""\n'
        for tag in tags
    )
    properties = "".join(
        f"\n    @property\n    def {tag}_api(self) -> {pascal(tag)}Api:\n"
        f'        """Operations on {tag.replace("_", " ")}."""\n'
        f"        from {home} import {pascal(tag)}Api\n\n        return self._group({pascal(tag)}Api)\n"
        for tag in tags
    )
    text = (
        f'{header(source_of(service))}"""The operations of {service.title} in groups, one per tag."""\n\n'
        f"from __future__ import annotations\n\n{''.join(sorted(lines))}\n"
        f"__all__ = {literal_list(sorted(f'{pascal(tag)}Api' for tag in tags))}\n{classes}"
    )
    typed = "".join(f"    from {home} import {pascal(tag)}Api\n" for tag in tags)
    owner = (
        f'{header(source_of(service))}"""What gives the operations of {service.title} in groups."""\n\n'
        f"from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\nfrom {module} import GroupOwner\n\n"
        f'if TYPE_CHECKING:\n{typed}\n__all__ = ["Groups"]\n\n\n'
        f'class Groups(GroupOwner):\n    """Gives the operations in groups, each a view of the same client."""\n{properties}'
    )
    return [Module("operations/apis.py", text), Module("operations/owner.py", owner)]


def write_package(service: Service, classes: Sequence[tuple[str, str]]) -> Module:
    package = f"{service.package}.operations"
    lines = [f"from {package}.{tag} import {name}\n" for tag, name in classes]
    names = [name for _, name in classes]
    parts = service.classes or {"Operations": tuple(tag for tag, _ in classes)}
    texts = [
        f"class {part}({', '.join(name for tag, name in classes if tag in tags)}):\n{_package_doc(service, tags)}"
        for part, tags in parts.items()
    ]
    text = (
        f'{header(source_of(service))}"""The operations of {service.title}, by tag and all together."""\n\n'
        f"from __future__ import annotations\n\n{''.join(sorted(lines))}\n"
        f"__all__ = {literal_list(sorted([*parts, *names]))}\n\n\n" + "\n\n".join(texts)
    )
    return Module("operations/__init__.py", text)


def _package_doc(service: Service, tags: Sequence[str]) -> str:
    which = f" on {', '.join(tags)}" if service.classes else ""
    return docstring(
        [
            f"Every operation of {service.title}{which} that is one request.",
            "None given to an argument whose default is ``UNSET`` is a value of its own. Further keywords, where a "
            "method takes them, go into the JSON body under their own names.",
        ],
        {},
        4,
    )
