"""``asyncclient voxel51 auth``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asyncclient.cli._errors import OK
from asyncclient.cli._voxel51_group import make_group
from asyncclient.cli._voxel51_run import AsJson, Debug, Output, run_locally
from asyncclient.cli._voxel51_tables import pairs_table

__all__ = ["auth"]

auth = make_group("auth", "The active API token.")


@auth.command()
def show(as_json: AsJson = False, debug: Debug = False) -> None:
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
        Output(as_json).result(named, pairs_table("API token", rows.items()))
        return OK

    run_locally(work, debug=debug)


@auth.command()
def activate(
    token: Annotated[Path, typer.Argument(help="A token file.", show_default=False)], debug: Debug = False
) -> None:
    """Make a token file the active one: it is checked and copied."""

    def work() -> int:
        from asyncclient.voxel51.users.auth import activate_token

        activate_token(token)
        return OK

    run_locally(work, debug=debug)


@auth.command()
def deactivate(debug: Debug = False) -> None:
    """Delete the active token file."""

    def work() -> int:
        from asyncclient.voxel51.users.auth import deactivate_token

        deactivate_token()
        return OK

    run_locally(work, debug=debug)
