"""Single requests whose arguments need more than a description can say."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asyncclient.errors import ArgumentTypeError, EmptyRequestError
from asyncclient.las._generated.operations.assets import CREATE_ASSET, UPDATE_ASSET
from asyncclient.las._generated.operations.models import CREATE_MODEL
from asyncclient.las._generated.operations.transitions import CREATE_TRANSITION, SEND_HEARTBEAT, UPDATE_TRANSITION
from asyncclient.las.base import LasClient
from asyncclient.las.content import load_content
from asyncclient.las.documents import base64_text
from asyncclient.types import UNSET

if TYPE_CHECKING:
    from asyncclient.las._generated import models

__all__ = ["ResourceMethods"]


class ResourceMethods(LasClient):
    """Operations on assets, models and transitions with arguments of several forms."""

    async def create_asset(
        self, content: Any, *, name: Any = UNSET, description: Any = UNSET, **extra: Any
    ) -> models.Asset:
        """Store a small file as an asset, its bytes base64-encoded in the JSON body.

        Args:
            content: Path of the file, bytes (valid base64 is taken as it is; see ``RawBytes``), or an open file; up to
                4.5 MB.
            name: Up to 4096 characters.
            description: Up to 4096 characters.
            extra: Further members of the body, under their wire names.

        Raises:
            EmptyRequestError: The content has no bytes.
        """
        text = await self._asset_text(content)
        return await self._call(CREATE_ASSET, {**extra, "content": text, "name": name, "description": description})

    async def update_asset(
        self, asset_id: str, *, content: Any = UNSET, name: Any = UNSET, description: Any = UNSET, **extra: Any
    ) -> models.Asset:
        """Replace the content, name or description of an asset.

        Args:
            asset_id: ``las:asset:<32 hex digits>``.
            content: As in :meth:`create_asset`; None is sent as null.
            name: Up to 4096 characters; None removes it.
            description: Up to 4096 characters; None removes it.
            extra: Further members of the body, under their wire names.

        Raises:
            EmptyRequestError: Nothing to change was given.
        """
        if content is not UNSET and content is not None and content != "":
            content = await self._asset_text(content)
        given = {"asset_id": asset_id, "content": content, "name": name, "description": description}
        return await self._call(UPDATE_ASSET, {**extra, **given})

    async def _asset_text(self, content: Any) -> str:
        data = await load_content(content)
        if not data:
            raise EmptyRequestError("content is empty; the service takes no empty files", argument="content")
        return await base64_text(data)

    async def create_model(
        self,
        *args: Any,
        field_config: Any = UNSET,
        width: Any = None,
        height: Any = None,
        preprocess_config: Mapping[str, Any] | None = None,
        postprocess_config: Mapping[str, Any] | None = None,
        name: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        base_model: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> models.Model:
        """Define a model by the fields it is to extract.

        Args:
            args: ``field_config``; or, as in old scripts, ``width, height, field_config``.
            field_config: Label to ``{"type": ..., ...}``; required.
            width: Pixels; no longer named by the service.
            height: Pixels; no longer named by the service.
            preprocess_config: ``{"autoRotate": ..., "maxPages": ..., "imageQuality": ...}``.
            postprocess_config: ``{"strategy": "BEST_FIRST"}`` or ``{"strategy": "BEST_N_PAGES", "parameters": ...}``.
            name: Up to 4096 characters.
            description: Up to 4096 characters.
            metadata: Any JSON object; it is not changed.
            base_model: ``{"organizationId": ..., "modelId": ...}`` to start from; sent inside ``metadata``.
            extra: Further members of the body, under their wire names.

        Raises:
            ArgumentTypeError: No ``field_config``, or a value given twice.
        """
        given = _model_arguments(args, {"width": width, "height": height, "field_config": field_config})
        if base_model:
            metadata = {**(metadata or {}), "baseModel": base_model}
        given.update(
            preprocess_config=preprocess_config,
            postprocess_config=postprocess_config,
            name=name,
            description=description,
            metadata=metadata,
        )
        return await self._call(CREATE_MODEL, {**extra, **given})

    async def create_transition(
        self,
        transition_type: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        name: Any = UNSET,
        description: Any = UNSET,
        in_schema: Mapping[str, Any] | None = None,
        out_schema: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> models.Transition:
        """Define a workflow step of type docker, manual or lambda.

        Args:
            transition_type: ``docker``, ``manual`` or ``lambda``.
            parameters: By type: ``{"imageUrl": ..., "cpu": ..., ...}``, ``{"assets": ...}``, ``{"lambdaId": ...}``.
            name: Up to 4096 characters.
            description: Up to 4096 characters.
            in_schema: Obsolete: the service no longer names it.
            out_schema: Obsolete: the service no longer names it.
            extra: Further members of the body, under their wire names.
        """
        _warn_obsolete("create_transition", in_schema, out_schema)
        given = {
            "transition_type": transition_type,
            "parameters": parameters,
            "name": name,
            "description": description,
            "in_schema": in_schema,
            "out_schema": out_schema,
        }
        return await self._call(CREATE_TRANSITION, {**extra, **given})

    async def update_transition(
        self,
        transition_id: str,
        *,
        assets: Mapping[str, str] | None = None,
        cpu: int | None = None,
        memory: int | None = None,
        image_url: str | None = None,
        name: Any = UNSET,
        description: Any = UNSET,
        environment: Any = UNSET,
        environment_secrets: Any = UNSET,
        secret_id: Any = UNSET,
        in_schema: Mapping[str, Any] | None = None,
        out_schema: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> models.Transition:
        """Change a transition or the parameters of its type.

        Args:
            transition_id: ``las:transition:<32 hex digits>``.
            assets: Name to asset id, of a manual transition.
            cpu: 256, 512 or 1024.
            memory: 512, 1024, 2048, 4096 or 8192 MiB.
            image_url: Of a docker transition.
            name: Up to 4096 characters; None removes it.
            description: Up to 4096 characters; None removes it.
            environment: Text to text; None removes it.
            environment_secrets: Ids of secrets; None removes them.
            secret_id: Secret with the image's credentials; None removes it.
            in_schema: Obsolete: the service no longer names it.
            out_schema: Obsolete: the service no longer names it.
            extra: Further members of the body, under their wire names; ``parameters`` replaces all of the above that
                go into it.

        Raises:
            EmptyRequestError: Nothing to change was given.
        """
        _warn_obsolete("update_transition", in_schema, out_schema)
        given = {
            "transition_id": transition_id,
            "assets": assets,
            "cpu": cpu,
            "memory": memory,
            "image_url": image_url,
            "name": name,
            "description": description,
            "environment": environment,
            "environment_secrets": environment_secrets,
            "secret_id": secret_id,
            "in_schema": in_schema,
            "out_schema": out_schema,
        }
        return await self._call(UPDATE_TRANSITION, {**extra, **given})

    async def send_heartbeat(self, transition_id: str, execution_id: str) -> None:
        """Keep a manual transition execution from timing out, which it does after 60 seconds.

        Args:
            transition_id: ``las:transition:<32 hex digits>``.
            execution_id: ``las:transition-execution:<32 hex digits>``.
        """
        await self._call(SEND_HEARTBEAT, {"transition_id": transition_id, "execution_id": execution_id})


def _model_arguments(args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Sort positional values of ``create_model``: a mapping first is field_config, a number first is width."""
    order = ["field_config"] if args and isinstance(args[0], Mapping) else ["width", "height", "field_config"]
    if len(args) > len(order):
        raise ArgumentTypeError(f"create_model() takes at most {len(order)} positional values here, not {len(args)}")
    for name, value in zip(order, args, strict=False):
        if named[name] is not UNSET and named[name] is not None:
            raise ArgumentTypeError(f"create_model() got {name!r} twice", argument=name)
        named[name] = value
    if named["field_config"] is UNSET or named["field_config"] is None:
        raise ArgumentTypeError("create_model() needs the argument 'field_config'", argument="field_config")
    return named


def _warn_obsolete(operation: str, in_schema: object, out_schema: object) -> None:
    for name, value in (("in_schema", in_schema), ("out_schema", out_schema)):
        if value is not None:
            warnings.warn(f"{operation}(): the service no longer names {name}", DeprecationWarning, stacklevel=3)
