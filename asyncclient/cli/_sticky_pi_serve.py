"""``asyncclient sticky-pi serve``: the server, by default on SQLite and a folder."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from asyncclient.cli._commands import finish
from asyncclient.cli._errors import OK, UNUSABLE, Problem, complain
from asyncclient.cli._loop import run_async
from asyncclient.cli._options import ListenHost, ListenPort
from asyncclient.errors import ConfigurationError

__all__ = ["serve"]

_APP: Final = "asyncclient.sticky_pi.server:create_app_from_environment"
_KEY_FILE: Final = "secret-key"
_GRACE_S: Final = 10  # for answers under way when the server is stopped

_Folder = Annotated[Path, typer.Option("--local-dir", help="Folder for files, and for SQLite.")]
_Database = Annotated[
    str | None, typer.Option("--database-url", envvar="DATABASE_URL", help="mysql://… or postgresql://…")
]
_S3Host = Annotated[str | None, typer.Option("--s3-host", envvar="S3_HOST", help="Object storage for the files.")]
_S3Bucket = Annotated[str | None, typer.Option("--s3-bucket", envvar="S3_BUCKET_NAME", help="A bucket that exists.")]
_S3Key = Annotated[str | None, typer.Option("--s3-access-key", envvar="S3_ACCESS_KEY", help="The public key.")]
_S3Region = Annotated[str | None, typer.Option("--s3-region", envvar="S3_REGION", help="Default: us-east-1.")]
_Public = Annotated[
    str | None, typer.Option("--public-url", envvar="PUBLIC_URL", help="Where users reach the server, behind a proxy.")
]
_Admin = Annotated[str, typer.Option("--admin", envvar="API_ADMIN_NAME", help="Created unless it exists.")]


@dataclass(frozen=True, slots=True)
class Serving:
    """How the server listens.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        workers: Processes that answer.
        certificate: With ``key``: serve https.
        key: The private key, in PEM form.
        proxies: Addresses whose word is taken for where a request comes from.
    """

    host: str
    port: int
    workers: int
    certificate: Path | None
    key: Path | None
    proxies: str


def serve(
    local_dir: _Folder = Path("sticky-pi"),
    database_url: _Database = None,
    s3_host: _S3Host = None,
    s3_bucket: _S3Bucket = None,
    s3_access_key: _S3Key = None,
    s3_region: _S3Region = None,
    public_url: _Public = None,
    admin: _Admin = "admin",
    host: ListenHost = "127.0.0.1",
    port: ListenPort = 8000,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=256)] = 1,
    tls_certificate: Annotated[Path | None, typer.Option(help="Serve https: a file in PEM form.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The key that belongs to it.")] = None,
    proxies: Annotated[str, typer.Option(help="Proxies to trust, by address, with commas.")] = "127.0.0.1",
) -> None:
    """Run a Sticky Pi server until Ctrl-C.

    Secrets come from the environment: SECRET_API_KEY, S3_PRIVATE_KEY and API_ADMIN_PASSWORD. The first one is made, and
    kept in the folder, if it is missing; so is a password for the administrator, and shown once.
    """
    given = {
        "LOCAL_DIR": str(local_dir.absolute()),
        "DATABASE_URL": database_url,
        "S3_HOST": s3_host,
        "S3_BUCKET_NAME": s3_bucket,
        "S3_ACCESS_KEY": s3_access_key,
        "S3_REGION": s3_region,
        "PUBLIC_URL": public_url,
    }
    serving = Serving(host, port, workers, tls_certificate, tls_key, proxies)
    finish(lambda: _started(given, admin, serving))


def _started(given: Mapping[str, str | None], admin: str, serving: Serving) -> int:
    try:
        return _serve(given, admin, serving)
    except ConfigurationError as error:  # of the server, not of somebody who wants to use it
        raise Problem(str(error)) from error


def _serve(given: Mapping[str, str | None], admin: str, serving: Serving) -> int:
    try:
        import uvicorn

        from asyncclient.sticky_pi.server import ServerConf, create_app
    except ModuleNotFoundError as error:
        raise Problem(f"the server needs the extra 'sticky-pi-server': {error}") from error
    if (serving.certificate is None) != (serving.key is None):
        raise Problem("https needs both --tls-certificate and --tls-key")
    # In the environment, because workers are new processes, which read it there.
    os.environ.update({name: value for name, value in given.items() if value})
    if "SECRET_API_KEY" not in os.environ:
        os.environ["SECRET_API_KEY"] = _secret(Path(str(given["LOCAL_DIR"])))
    conf = ServerConf()
    create_app(conf)  # what is wrong with the configuration is said now, once
    made = run_async(lambda: _prepare(conf, admin))
    listener = _listen(serving.host, serving.port)
    address = listener.getsockname()
    scheme = "http" if serving.key is None else "https"
    typer.echo(f"Sticky Pi server: {scheme}://{_shown(address[0])}:{address[1]}, {_kind_of(conf)}")
    if made is not None:
        typer.echo(f"user {admin}, password {made}: shown only now")
    with listener:
        return _run(uvicorn, serving, listener)


def _run(uvicorn: Any, serving: Serving, listener: socket.socket) -> int:
    try:
        uvicorn.run(
            _APP,
            factory=True,
            fd=listener.fileno(),
            workers=serving.workers,
            lifespan="on",
            ws="none",
            server_header=False,
            log_level="warning",
            forwarded_allow_ips=serving.proxies,
            ssl_certfile=serving.certificate,
            ssl_keyfile=serving.key,
            timeout_graceful_shutdown=_GRACE_S,
        )
    except SystemExit as end:
        if end.code:
            complain("the server could not start")
            return UNUSABLE
    return OK


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it, whatever uvicorn takes the descriptor for; else answers in two pieces wait 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(2048)
        listener.set_inheritable(True)
    except BaseException:
        listener.close()
        raise
    return listener


def _secret(folder: Path) -> str:
    """Return the key that tokens are signed with; made with the first start."""
    from asyncclient.sticky_pi._private import make_private_folder

    path = folder / _KEY_FILE
    make_private_folder(folder)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(made := secrets.token_urlsafe(48))
    return made


async def _prepare(conf: Mapping[str, Any], admin: str) -> str | None:
    """Create the tables, and the administrator unless there is one; return the password if it was made up."""
    from asyncclient.sticky_pi._api import AsyncRemoteAPI

    async with AsyncRemoteAPI(conf) as api:
        _look_at(api._database.path)
        if admin in [user["username"] for user in await api.get_users()]:
            return None
        password = conf.get("API_ADMIN_PASSWORD") or secrets.token_urlsafe(12)
        await api.put_users([{"username": admin, "password": password, "is_admin": True}])
        return None if conf.get("API_ADMIN_PASSWORD") else str(password)


def _look_at(database: Path | None) -> None:
    """Say so where everybody can read the database: its permissions may have been given on purpose, so they stay."""
    from asyncclient.sticky_pi._private import others_may_read

    if database is not None and others_may_read(database):
        typer.echo(f"every user of this machine can read the hashes of passwords: chmod 600 {database}", err=True)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _kind_of(conf: Mapping[str, Any]) -> str:
    url = str(conf.get("DATABASE_URL") or ("mysql:" if conf.get("MYSQL_HOST") else "sqlite:"))
    files = f"bucket {conf['S3_BUCKET_NAME']}" if conf.get("S3_BUCKET_NAME") else f"files in {conf['LOCAL_DIR']}"
    return f"{url.partition(':')[0].partition('+')[0]}, {files}"
