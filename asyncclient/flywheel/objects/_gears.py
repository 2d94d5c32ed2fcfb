"""What gears and batches can do."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.flywheel.objects._binding import Bindable, bind
from asyncclient.flywheel.objects._gears_values import check_input, kind_of, member, out_to, reference, several, text

__all__ = ["BatchMixin", "BatchProposalMixin", "GearInvocation", "GearMixin"]


class GearInvocation:
    """Puts a run of a gear together.

    Args:
        gear: What is to be run.
    """

    def __init__(self, gear: GearMixin) -> None:
        self._gear = gear
        self.config: dict[str, Any] = gear.get_default_config()
        self.inputs: dict[str, Any] = {}
        self.tags: list[str] = []
        self.destination: dict[str, Any] | None = None
        self.analysis_label: str | None = None
        self.priority: str = "medium"

    def update_config(self, *args: Mapping[str, Any], **values: Any) -> GearInvocation:
        """Set configuration values."""
        for given in args:
            if not isinstance(given, Mapping):
                raise ArgumentTypeError(f"config must be a mapping, not {kind_of(given)}", argument="config")
            self.config.update(given)
        self.config.update(values)
        return self

    def set_analysis_label(self, label: str) -> GearInvocation:
        """Set the label of the analysis.

        Raises:
            ArgumentError: The gear makes no analysis (also a ``ValueError``).
        """
        if not self._gear.is_analysis_gear():
            raise ArgumentError("only analysis gears have an analysis label", argument="analysis_label")
        self.analysis_label = text(label, "analysis_label")
        return self

    def add_tag(self, tag: str) -> GearInvocation:
        """Add a tag to the job."""
        return self.add_tags([tag])

    def add_tags(self, tags: Sequence[str]) -> GearInvocation:
        """Add tags to the job."""
        self.tags.extend(text(tag, "tags") for tag in several(tags, "tags", "texts"))
        return self

    def set_input(self, name: str, value: Any) -> GearInvocation:
        """Set an input: a file, a container, or what names one.

        Raises:
            ArgumentTypeError: The gear has no such input, or the value names nothing (also a ``TypeError``).
        """
        check_input(self._gear.gear, name)
        self.inputs[name] = reference(value, name)
        return self

    def set_destination(self, value: Any) -> GearInvocation:
        """Set where outputs go: a container, or what names one."""
        found = reference(value, "destination")
        if "type" not in found:
            raise ArgumentError("destination must be a container, not a version of a file", argument="destination")
        self.destination = found
        return self

    def set_priority(self, priority: str) -> GearInvocation:
        """Set the priority: ``low``, ``medium``, ``high`` or ``critical``."""
        self.priority = text(priority, "priority")
        return self

    def body(self) -> dict[str, Any]:
        """Return the job as it is sent."""
        found: dict[str, Any] = {"gear_id": self._gear.id, "inputs": self.inputs}
        if self.destination is not None and not self._gear.is_analysis_gear():
            found["destination"] = self.destination
        return {**found, "tags": self.tags, "priority": self.priority, "config": self.config}

    def run(self) -> Any:
        """Queue the job; gives its id, or that of the analysis.

        Raises:
            ArgumentError: An analysis gear has no destination (also a ``ValueError``).
        """
        client = self._gear._client
        if not self._gear.is_analysis_gear():
            return client.add_job(self.body())
        if self.destination is None:
            raise ArgumentError("an analysis gear must have a destination", argument="destination")
        method = getattr(client, f"add_{self.destination['type']}_analysis", None)
        if method is None:
            raise ArgumentError(f"a {self.destination['type']} has no analyses", argument="destination")
        return method(self.destination["id"], {"label": self._label(), "job": self.body()})

    def propose_batch(self, containers: Sequence[Any], optional_input_policy: str = "ignored") -> Any:
        """Propose a run for each of some containers; the proposal has ``run``."""
        body: dict[str, Any] = {
            "gear_id": self._gear.id,
            "targets": [
                reference(container, "containers") for container in several(containers, "containers", "containers")
            ],
            "priority": self.priority,
            "config": self.config,
            "tags": self.tags,
        }
        if self._gear.is_analysis_gear():
            body["analysis"] = {"label": self._label()}
        return self._gear._client.propose_batch({**body, "optional_input_policy": optional_input_policy})

    def _label(self) -> str:
        if self.analysis_label:
            return self.analysis_label
        return f"{self._gear._name()} {dt.datetime.now().astimezone():%Y-%m-%d %H:%M:%S}"


class GearMixin(Bindable):
    """What a gear can do."""

    container_type: ClassVar[str] = "gear"

    if TYPE_CHECKING:
        id: Any
        category: Any
        gear: Any

    def is_analysis_gear(self) -> bool:
        """Tell whether runs of it make analyses."""
        return bool(self.category == "analysis")

    def get_default_config(self) -> dict[str, Any]:
        """Return the configuration values that have a default."""
        config = member(self.gear, "config") or {}
        items = config.items() if hasattr(config, "items") else ()
        defaults = {name: member(entry, "default") for name, entry in items}
        # Copies: what a run changes in a list is no business of the next run.
        return {name: copy.deepcopy(value) for name, value in defaults.items() if value is not None}

    def create_invocation(self) -> GearInvocation:
        """Begin to put a run together."""
        return GearInvocation(self)

    def run(
        self,
        config: Mapping[str, Any] | None = None,
        analysis_label: str | None = None,
        tags: Sequence[str] | None = None,
        destination: Any = None,
        inputs: Mapping[str, Any] | None = None,
        priority: str | None = None,
        **more_inputs: Any,
    ) -> Any:
        """Queue a job.

        Args:
            config: Values that differ from the defaults.
            analysis_label: Of an analysis gear; default: its name and the time.
            tags: Of the job.
            destination: Where outputs go: a container, or what names one.
            inputs: Files and containers by the name of the input; they win over the keywords.
            priority: ``low``, ``medium``, ``high`` or ``critical``.
            more_inputs: Inputs too.

        Returns:
            The id of the job; of an analysis gear that of the analysis.

        Raises:
            ArgumentError: An analysis gear has no destination, another one a label (also a ``ValueError``).
            ArgumentTypeError: The gear has no such input, or a value names nothing (also a ``TypeError``).
        """
        if inputs is not None and not isinstance(inputs, Mapping):
            raise ArgumentTypeError(
                f"inputs must be a mapping of names and files, not {kind_of(inputs)}", argument="inputs"
            )
        invocation = self._invocation(config, analysis_label, tags, priority)
        for name, value in {**more_inputs, **(inputs or {})}.items():
            invocation.set_input(name, value)
        if destination is not None:
            invocation.set_destination(destination)
        return invocation.run()

    def propose_batch(
        self,
        containers: Sequence[Any],
        config: Mapping[str, Any] | None = None,
        analysis_label: str | None = None,
        tags: Sequence[str] | None = None,
        priority: str | None = None,
        optional_input_policy: str = "ignored",
    ) -> Any:
        """Propose a run for each of some containers; the proposal has ``run``."""
        invocation = self._invocation(config, analysis_label, tags, priority)
        return invocation.propose_batch(containers, optional_input_policy)

    def _invocation(
        self,
        config: Mapping[str, Any] | None,
        analysis_label: str | None,
        tags: Sequence[str] | None,
        priority: str | None,
    ) -> GearInvocation:
        invocation = self.create_invocation()
        if config is not None:
            invocation.update_config(config)
        if tags is not None:
            invocation.add_tags(tags)
        if analysis_label is not None:
            invocation.set_analysis_label(analysis_label)
        return invocation if priority is None else invocation.set_priority(priority)

    def _named(self, method: str, *args: Any) -> Any:
        return getattr(self._client, method)(self._name(), *args)

    def _name(self) -> str:
        found = member(self.gear, "name")
        if not found:
            raise ArgumentError(f"the name of the gear {self.id} is not known: it came without its manifest")
        return str(found)

    def get_series(self) -> Any:
        """Fetch what all versions of it have in common."""
        return self._named("get_gear_series")

    def modify_gear_series(self, body: Any) -> Any:
        """Change what all versions of it have in common."""
        return self._named("modify_gear_series", body)

    def add_permission(self, permission_type: str, permission: Any) -> Any:
        """Allow a user or project to use it."""
        return self._named("add_gear_permission", permission_type, permission)

    def replace_permissions(self, permissions: Any) -> Any:
        """Put other permissions in place of all it has."""
        return self._named("replace_gear_permissions", permissions)

    def delete_permission(self, permission_type: str, permission_id: str) -> Any:
        """Withdraw a permission."""
        return self._named("delete_gear_permission", permission_type, permission_id)

    def delete_all_permissions(self) -> Any:
        """Withdraw all permissions."""
        return self._named("delete_gear_permissions")

    def ref(self) -> dict[str, Any]:
        """Return what other objects name it by."""
        return {"type": "gear", "id": self.id}

    def print_details(self, width: int = 90, file: TextIO | None = None) -> None:
        """Write name, description, inputs and configuration."""
        import textwrap

        given: object = width
        if not isinstance(given, int) or given < 1:
            raise ArgumentError(f"width must be a number of letters, not {width!r}", argument="width")
        out = out_to(file)
        print(member(self.gear, "label") or member(self.gear, "name") or self.id, file=out)
        print(textwrap.fill(str(member(self.gear, "description") or ""), width), file=out)
        for title in ("inputs", "config"):
            entries = member(self.gear, title) or {}
            print(f"\n{title}:", file=out)
            for name, entry in entries.items() if hasattr(entries, "items") else ():
                kind = member(entry, "base") or member(entry, "type")
                line = f"{name} ({kind}) {member(entry, 'description') or ''}"
                print(textwrap.fill(line, width, initial_indent="  ", subsequent_indent="    "), file=out)


class BatchProposalMixin(Bindable):
    """What a proposed batch can do."""

    if TYPE_CHECKING:
        id: Any

    def _bind(self, client: Any) -> None:
        super()._bind(client)
        for name in ("matched", "not_matched", "ambiguous"):
            bind(getattr(self, name, None), client)

    def run(self) -> Any:
        """Start it; gives its jobs."""
        return self._client.start_batch(self.id)


class BatchMixin(Bindable):
    """What a batch can do."""

    if TYPE_CHECKING:
        id: Any

    def _bind(self, client: Any) -> None:
        super()._bind(client)
        bind(getattr(self, "jobs", None), client)

    def cancel(self) -> Any:
        """Cancel the jobs that wait; gives their number."""
        return self._client.cancel_batch(self.id)
