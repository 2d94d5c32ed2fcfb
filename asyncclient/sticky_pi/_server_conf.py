"""What the server can be told."""

from __future__ import annotations

from typing import Any

from asyncclient.sticky_pi.configuration import BaseAPIConf

__all__ = ["ServerConf"]


class ServerConf(BaseAPIConf):
    """Configuration of the server, all of which may come from the environment.

    ``SECRET_API_KEY`` signs tokens and links. The database is ``DATABASE_URL``, else that of ``MYSQL_HOST`` and its
    companions, else SQLite in ``LOCAL_DIR``. Files are in the bucket ``S3_BUCKET_NAME``, else in ``LOCAL_DIR``.
    ``PUBLIC_URL`` is where users reach the server. Two administrators are created at the start unless they exist:
    ``API_ADMIN_NAME`` and ``UID_USER``. ``MAX_UPLOAD_BYTES`` and ``MAX_JSON_BYTES`` bound what one request may bring.
    """

    LOCAL_DIR: Any = None
    DATABASE_URL: Any = None
    PUBLIC_URL: Any = None
    MYSQL_USER: Any = None
    MYSQL_PASSWORD: Any = None
    MYSQL_DATABASE: Any = None
    S3_HOST: Any = None
    S3_ACCESS_KEY: Any = None
    S3_PRIVATE_KEY: Any = None
    S3_BUCKET_NAME: Any = None
    S3_REGION: Any = None
    S3_SIGNATURE: Any = None
    API_ADMIN_NAME: Any = None
    API_ADMIN_PASSWORD: Any = None
    UID_USER: Any = None
    UID_PASSWORD: Any = None
    MAX_UPLOAD_BYTES: Any = None
    MAX_JSON_BYTES: Any = None
