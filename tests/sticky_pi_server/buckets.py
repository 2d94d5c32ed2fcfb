"""A bucket in moto."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3

__all__ = ["Bucket", "make_bucket"]


@dataclass(frozen=True)
class Bucket:
    """An empty bucket.

    Attributes:
        client: Looks into it.
        conf: How storage reaches it.
    """

    client: Any
    conf: dict[str, Any]

    def keys(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.conf["S3_BUCKET_NAME"])
        return sorted(entry["Key"] for entry in found.get("Contents", []))


def make_bucket(url: str, name: str) -> Bucket:
    client = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="public", aws_secret_access_key="private", region_name="us-east-1"
    )
    client.create_bucket(Bucket=name)
    conf = {"S3_HOST": url, "S3_BUCKET_NAME": name, "S3_ACCESS_KEY": "public", "S3_PRIVATE_KEY": "private"}
    return Bucket(client, conf)
