"""The tables of the database. The order of the columns is that of the keys in rows."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.mysql import LONGTEXT

__all__ = [
    "API_VERSION",
    "deletions",
    "images",
    "intents",
    "itc_labels",
    "locks",
    "metadata",
    "permissions",
    "projects",
    "tuboid_series",
    "tuboids",
    "uid_annotations",
    "users",
]

API_VERSION: Final = "0.1.1"

metadata: Final = MetaData()
_OPTIONS: Final[dict[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_general_ci",
}


def _not_postgresql(*_: Any, dialect: Any, **__: Any) -> bool:
    return bool(dialect.name != "postgresql")


def _table(name: str, *own: Any) -> Table:
    return Table(
        name,
        metadata,
        Column("datetime_created", DateTime, nullable=False),
        Column("api_version", String(8), default="1.0.0"),
        Column("api_user_id", Integer),
        *own,
        **_OPTIONS,
    )


def _parent(name: str, target: str) -> Column[int]:
    return Column(name, Integer, ForeignKey(f"{target}.id", ondelete="CASCADE"), nullable=False)


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _text(name: str, length: int) -> Column[str]:
    return Column(name, String(length), nullable=False)


images: Final = _table(
    "images",
    _id(),
    _text("device", 8),
    Column("datetime", DateTime, nullable=False),
    _text("md5", 32),
    Column("device_version", String(8), default="1.0.0"),
    Column("width", SmallInteger, nullable=False),
    Column("height", SmallInteger, nullable=False),
    Column("lat", Numeric(9, 6, asdecimal=False)),
    Column("lng", Numeric(9, 6, asdecimal=False)),
    Column("alt", SmallInteger),
    Column("temp", Float),
    Column("hum", Float),
    Column("lum", Float),
    Column("bat", SmallInteger),
    Column("but", Boolean),
    UniqueConstraint("device", "datetime", name="image_id"),
    Index("image_uid", "device", "datetime"),
)

uid_annotations: Final = _table(
    "uid_annotations",
    _id(),
    _parent("parent_image_id", "images"),
    _text("algo_name", 64),
    _text("algo_version", 46),
    Column("n_objects", Integer, nullable=False),
    Column("json", Text().with_variant(LONGTEXT(), "mysql", "mariadb"), nullable=False),
    UniqueConstraint("parent_image_id", "algo_name", "algo_version", name="annotation_id"),
)

intents: Final = _table("uid_intents", _id(), _parent("parent_image_id", "images"))

tuboid_series: Final = _table(
    "tuboid_series",
    _id(),
    _text("device", 8),
    Column("start_datetime", DateTime, nullable=False),
    Column("end_datetime", DateTime, nullable=False),
    Column("n_images", Integer, nullable=False),
    Column("n_tuboids", Integer, nullable=False),
    _text("algo_name", 64),
    _text("algo_version", 46),
    UniqueConstraint("device", "start_datetime", "end_datetime", "algo_name", "algo_version", name="tiled_series_id"),
)

tuboids: Final = _table(
    "tiled_tuboids",
    _id(),
    _parent("parent_series_id", "tuboid_series"),
    _text("tuboid_id", 100),
    Column("id_in_series", Integer, nullable=False),
    Column("start_datetime", DateTime, nullable=False),
    Column("end_datetime", DateTime, nullable=False),
    Column("n_shots", Integer, nullable=False),
    UniqueConstraint("tuboid_id", name="tuboid_id"),
)

itc_labels: Final = _table(
    "itc_labels",
    _id(),
    _parent("parent_tuboid_id", "tiled_tuboids"),
    _text("algo_name", 32),
    _text("algo_version", 46),
    Column("label", Integer, nullable=False),
    _text("pattern", 128),
    _text("type", 32),
    Column("order", String(32)),
    Column("family", String(32)),
    Column("genus", String(32)),
    Column("species", String(32)),
    UniqueConstraint("parent_tuboid_id", "algo_name", "algo_version", name="label_id"),
)

users: Final = _table(
    "users",
    _id(),
    _text("username", 32),
    Column("email", String(64), index=True),
    _text("password_hash", 128),
    Column("is_admin", Boolean, default=False),
    Column("can_write", Boolean, default=True),
    UniqueConstraint("username"),
    Index("ix_users_username", "username"),
)

projects: Final = _table(
    "projects",
    _id(),
    Column("name", String(32), nullable=False, index=True),
    Column("description", String(20), index=True),
    Column("notes", String(2048)),
)
# Neither 2048 characters of utf8mb4 (MariaDB) nor 8 KiB (PostgreSQL) fit into an index.
Index("ix_projects_notes", projects.c.notes, mysql_length=255).ddl_if(callable_=_not_postgresql)

permissions: Final = _table(
    "project_permissions",
    _parent("parent_project_id", "projects"),
    _parent("parent_user_id", "users"),
    _id(),
    Column("level", SmallInteger, nullable=False),
    UniqueConstraint("parent_user_id", "parent_project_id"),
)

# Two tables that the platform's own server does not have. Files whose rows are gone, until they are gone too:
deletions: Final = Table(
    "storage_deletions",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(100), primary_key=True),
    **_OPTIONS,
)
# and what only one transaction may do at a time, in every worker.
locks: Final = Table("api_locks", metadata, Column("name", String(32), primary_key=True), **_OPTIONS)
