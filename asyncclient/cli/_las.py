"""``asyncclient las``: documents, datasets, models and predictions of Lucidtech AI Services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asyncclient.cli._api import add_api
from asyncclient.cli._commands import ProfileCommand, make_group
from asyncclient.cli._errors import OK
from asyncclient.cli._las_documents import documents
from asyncclient.cli._las_run import SERVICE, limited, run, show_rows
from asyncclient.cli._many import confirm
from asyncclient.cli._options import Most, Yes
from asyncclient.cli._output import Output
from asyncclient.cli._tables import pairs_table

if TYPE_CHECKING:
    from asyncclient.las import AsyncClient

__all__ = ["las"]

las = make_group(
    "las",
    "Lucidtech AI Services. Uses the profile of --profile, the LAS_ variables, or the profile default.",
    commands=ProfileCommand,
)
datasets = make_group("datasets", "Sets of documents.", commands=ProfileCommand)
models = make_group("models", "Models that predictions are made with.", commands=ProfileCommand)
predictions = make_group("predictions", "What models find in documents.", commands=ProfileCommand)
for group in (documents, datasets, models, predictions):
    las.add_typer(group)


@datasets.command("list")
def list_datasets(limit: Most = None) -> None:
    """List datasets."""

    async def work(client: AsyncClient) -> int:
        rows = await limited(client, "list_datasets", limit)
        return show_rows(rows, ("datasetId", "name", "numberOfDocuments", "createdTime"))

    run(work)


@datasets.command("create")
def create_dataset(
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    description: Annotated[str | None, typer.Option(help="What is in it.")] = None,
) -> None:
    """Create a dataset and print its id."""
    given: dict[str, Any] = {"name": name, "description": description}
    given = {key: value for key, value in given.items() if value is not None}

    async def work(client: AsyncClient) -> None:
        found: Mapping[str, Any] = await client.create_dataset(**given)
        Output().result(found, str(found["datasetId"]))

    run(work)


@datasets.command("get")
def get_dataset(dataset_id: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Show a dataset."""

    async def work(client: AsyncClient) -> None:
        _show("dataset", await client.get_dataset(dataset_id))

    run(work)


@datasets.command("delete")
def delete_dataset(
    dataset_id: Annotated[str, typer.Argument(help="Its id.")],
    with_documents: Annotated[bool, typer.Option("--documents", help="Its documents too.")] = False,
    yes: Yes = False,
) -> None:
    """Delete a dataset; one that is not empty only with its documents."""

    async def work(client: AsyncClient) -> int:
        if not confirm(f"Delete {dataset_id}{' and its documents' if with_documents else ''}?", yes=yes):
            return OK
        wait_s = 60.0 if with_documents else None  # the service counts with delay
        await client.delete_dataset(dataset_id, with_documents, wait_s=wait_s)
        Output().result({"datasetId": dataset_id, "deleted": True}, f"Deleted {dataset_id}")
        return OK

    run(work)


@models.command("list")
def list_models(limit: Most = None) -> None:
    """List models."""

    async def work(client: AsyncClient) -> int:
        return show_rows(await limited(client, "list_models", limit), ("modelId", "name", "status", "createdTime"))

    run(work)


@models.command("get")
def get_model(model_id: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Show a model."""

    async def work(client: AsyncClient) -> None:
        _show("model", await client.get_model(model_id))

    run(work)


@predictions.command("create")
def create_prediction(
    document_id: Annotated[str, typer.Argument(help="The document.")],
    model_id: Annotated[str, typer.Argument(help="The model.")],
    max_pages: Annotated[int | None, typer.Option(min=1, max=100, help="Most pages to look at.")] = None,
) -> None:
    """Run a model on a document and show what it finds."""

    async def work(client: AsyncClient) -> None:
        found: Mapping[str, Any] = await client.create_prediction(document_id, model_id, max_pages=max_pages)
        entries: Any = found.get("predictions") or ()
        rows = [(entry.get("label"), entry.get("value")) for entry in entries]
        Output().result(found, pairs_table(str(found.get("predictionId")), rows))

    run(work)


@predictions.command("list")
def list_predictions(
    model: Annotated[str | None, typer.Option(help="Only of this model.")] = None,
    limit: Most = None,
) -> None:
    """List predictions."""

    async def work(client: AsyncClient) -> int:
        rows = await limited(client, "list_predictions", limit, model_id=model)
        return show_rows(rows, ("predictionId", "documentId", "modelId", "createdTime"))

    run(work)


def _show(title: str, found: Mapping[str, Any]) -> None:
    Output().result(found, pairs_table(title, found.items()))


add_api(las, "las", SERVICE)
