"""``asyncclient voxel51 auth``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asyncclient.cli._commands import LocalCommand, SilentCommand, make_group
from asyncclient.cli._errors import OK
from asyncclient.cli._output import Output
from asyncclient.cli._tables import pairs_table
from asyncclient.cli._voxel51_run import run_locally

__all__ = ["auth"]

auth = make_group("auth", "The active API token.")


@auth.command(cls=LocalCommand)
def show() -> None:
    """Show which token is in use. The key itself is not shown."""

    def work() -> int:
        from asyncclient.voxel51.users.auth import get_active_token_path, load_token

        token = load_token()
        rows = {
            "token id": token.id,
            "creation date": token.creation_date,
            "private key": "********",
            "base api url": token.base_api_url,
            "path": get_active_token_path(),
        }
        named = {name.replace(" ", "_"): value for name, value in rows.items() if name != "private key"}
        Output().result(named, pairs_table("API token", rows.items()))
        return OK

    run_locally(work)


@auth.command(cls=SilentCommand)
def activate(token: Annotated[Path, typer.Argument(help="A token file.", show_default=False)]) -> None:
    """Make a token file the active one: it is checked and copied."""

    def work() -> int:
        from asyncclient.voxel51.users.auth import activate_token

        activate_token(token)
        return OK

    run_locally(work)


@auth.command(cls=SilentCommand)
def deactivate() -> None:
    """Delete the active token file."""

    def work() -> int:
        from asyncclient.voxel51.users.auth import deactivate_token

        deactivate_token()
        return OK

    run_locally(work)
