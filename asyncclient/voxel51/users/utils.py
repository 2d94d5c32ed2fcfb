"""Utilities, under their official names."""

from __future__ import annotations

from asyncclient.voxel51.utils import (
    Serializable,
    copy_file,
    ensure_basedir,
    json_to_str,
    load_json,
    query_yes_no,
    read_json,
    to_human_bits_str,
    to_human_bytes_str,
    to_human_decimal_str,
    to_human_time_str,
    urljoin,
    write_json,
)

__all__ = [
    "Serializable",
    "copy_file",
    "ensure_basedir",
    "json_to_str",
    "load_json",
    "query_yes_no",
    "read_json",
    "to_human_bits_str",
    "to_human_bytes_str",
    "to_human_decimal_str",
    "to_human_time_str",
    "urljoin",
    "write_json",
]
