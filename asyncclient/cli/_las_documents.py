"""``asyncclient las documents``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asyncclient.cli._commands import ProfileCommand, before, make_group
from asyncclient.cli._errors import OK, Problem
from asyncclient.cli._las_run import limited, run, show_rows
from asyncclient.cli._many import confirm, each, files_of, show_outcomes
from asyncclient.cli._options import Most, Yes
from asyncclient.cli._output import Output
from asyncclient.cli._tables import pairs_table

if TYPE_CHECKING:
    from asyncclient.las import AsyncClient

__all__ = ["documents"]

documents = make_group("documents", "Documents and their files.", commands=ProfileCommand)

_Dataset = Annotated[str | None, typer.Option(metavar="ID", help="Only of this dataset.")]
_Consent = Annotated[str | None, typer.Option(metavar="ID", help="Only with this consent.")]
_Ids = Annotated[list[str], typer.Argument(metavar="ID", help="Ids.")]


@documents.command()
def upload(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, or folders with files.")],
    dataset: Annotated[str | None, typer.Option(metavar="ID", help="Dataset to put them in.")] = None,
    consent: Annotated[str | None, typer.Option(metavar="ID", help="Consent to keep them under.")] = None,
    retention_days: Annotated[int | None, typer.Option(min=1, help="Days until the service deletes them.")] = None,
) -> None:
    """Upload files, several at a time, and print the ids of the documents.

    What cannot be uploaded is said at the end; the exit code is then 1.
    """
    files = before(lambda: files_of(paths))
    options: dict[str, Any] = {"dataset_id": dataset, "consent_id": consent, "retention_in_days": retention_days}

    async def work(client: AsyncClient) -> int:
        async def send(path: Path) -> Mapping[str, Any]:
            return {"documentId": (await client.create_document(path, **options))["documentId"]}

        rows = await each(files, send, lambda path: {"path": str(path), "size": path.stat().st_size})
        return show_outcomes(rows, lambda row: f"{row['documentId']}  {row['path']}", "path")

    run(work)


@documents.command("list")
def list_(dataset: _Dataset = None, consent: _Consent = None, limit: Most = None) -> None:
    """List documents."""

    async def work(client: AsyncClient) -> int:
        rows = await limited(client, "list_documents", limit, dataset_id=dataset, consent_id=consent)
        return show_rows(rows, ("documentId", "contentType", "name", "createdTime"))

    run(work)


@documents.command()
def get(document_id: Annotated[str, typer.Argument(metavar="ID", help="Its id.")]) -> None:
    """Show the record of a document, without its file."""

    async def work(client: AsyncClient) -> None:
        from asyncclient.las._generated.operations.documents import GET_DOCUMENT

        # client.get_document() fetches the file as well.
        found = await client._call(GET_DOCUMENT, {"document_id": document_id})
        Output().result(found, pairs_table("document", found.items()))

    run(work)


@documents.command()
def download(
    ids: _Ids,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write; a folder for several. Default: named by the id."),
    ] = None,
) -> None:
    """Download the files of documents, several at a time. A file appears only when it is complete."""
    folder = before(lambda: _folder(output, len(ids)))

    async def work(client: AsyncClient) -> int:
        async def fetch(document_id: str) -> Mapping[str, Any]:
            path = output if output is not None and folder is None else (folder or Path()) / _file_name(document_id)
            return {"path": str(path), "size": await client.download_document(document_id, path)}

        rows = await each(ids, fetch, lambda document_id: {"documentId": document_id})
        return show_outcomes(rows, lambda row: f"Downloaded '{row['documentId']}' to '{row['path']}'", "documentId")

    run(work)


def _folder(output: Path | None, files: int) -> Path | None:
    """Return the folder that files go to; None for the file that was named, or the current folder."""
    if output is None or (files == 1 and not output.is_dir()):
        return None
    if output.exists() and not output.is_dir():
        raise Problem(f"{output}: is a file; several documents need a folder")
    output.mkdir(parents=True, exist_ok=True)
    return output


def _file_name(document_id: str) -> str:
    """Return the id as a name of a file, whatever is in it."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in document_id)[:200]


@documents.command()
def delete(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids.")] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="ID", help="All documents of this dataset, in place of ids.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Delete documents and their files."""
    before(lambda: _check(ids, dataset))

    async def work(client: AsyncClient) -> int:
        what = f"all documents of {dataset}" if dataset else f"{len(ids or ())} document(s)"
        if not confirm(f"Delete {what}?", yes=yes):
            return OK
        if dataset:
            gone = (await client.delete_documents(dataset_id=dataset, delete_all=True)).get("documents") or []
            rows: list[Mapping[str, Any]] = [{"documentId": row["documentId"]} for row in gone]
        else:
            rows = list(await each(ids or (), remove(client), lambda document_id: {"documentId": document_id}))
        return show_outcomes(rows, lambda row: f"Deleted {row['documentId']}", "documentId")

    def remove(client: AsyncClient) -> Any:
        async def one(document_id: str) -> Mapping[str, Any]:
            await client.delete_document(document_id)
            return {}

        return one

    run(work)


def _check(ids: list[str] | None, dataset: str | None) -> None:
    if bool(ids) == bool(dataset):
        raise Problem("give either ids or --dataset")
