"""Signed links to objects in a bucket, for those who have no keys: version 2, which the platform uses, and 4. Pure."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

__all__ = ["Signer"]

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one bucket.

    Attributes:
        endpoint: ``https://host``, without a slash at the end.
        bucket: The bucket, which becomes the first segment of paths.
        access_key: Shown in links.
        secret_key: Never shown.
        region: Used by version 4.
        version: 2 or 4.
    """

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str
    version: int

    def get(self, key: str, now: int, life_s: int) -> str:
        """Return a URL that reads an object.

        Args:
            key: The object.
            now: Unix seconds.
            life_s: Seconds for which the URL is good.
        """
        path = f"/{self.bucket}/{quote(key, safe='/-_.~')}"
        return self._get_2(path, now + life_s) if self.version == 2 else self._get_4(path, now, life_s)

    def post(self, key: str, now: int, life_s: int) -> dict[str, Any]:
        """Return what a form needs that uploads an object: ``url`` and ``fields``, in the order of ``get``."""
        fields = {"key": key}
        if self.version == 2:
            fields["AWSAccessKeyId"] = self.access_key
        else:
            stamp = _stamp(now)
            fields["x-amz-algorithm"] = _ALGORITHM
            fields["x-amz-credential"] = f"{self.access_key}/{self._scope(stamp)}"
            fields["x-amz-date"] = stamp
        conditions = [{"bucket": self.bucket}]
        conditions += [{name: value} for name, value in fields.items() if name != "AWSAccessKeyId"]
        ends = dt.datetime.fromtimestamp(now + life_s, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = json.dumps({"expiration": ends, "conditions": conditions})
        fields["policy"] = policy = base64.b64encode(text.encode()).decode()
        if self.version == 2:
            fields["signature"] = self._sign_2(policy)
        else:
            fields["x-amz-signature"] = _hmac(self._key_4(_stamp(now)[:8]), policy).hex()
        return {"url": f"{self.endpoint}/{self.bucket}", "fields": fields}

    def _get_2(self, path: str, expires: int) -> str:
        signature = quote(self._sign_2(f"GET\n\n\n{expires}\n{path}"), safe="")
        access = quote(self.access_key, safe="")
        return f"{self.endpoint}{path}?AWSAccessKeyId={access}&Signature={signature}&Expires={expires}"

    def _sign_2(self, text: str) -> str:
        digest = hmac.new(self.secret_key.encode(), text.encode(), hashlib.sha1).digest()
        return base64.b64encode(digest).decode()

    def _get_4(self, path: str, now: int, life_s: int) -> str:
        stamp = _stamp(now)
        credential = quote(f"{self.access_key}/{self._scope(stamp)}", safe="")
        query = (
            f"X-Amz-Algorithm={_ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={stamp}"
            f"&X-Amz-Expires={life_s}&X-Amz-SignedHeaders=host"
        )
        host = self.endpoint.partition("://")[2]
        request = f"GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"{_ALGORITHM}\n{stamp}\n{self._scope(stamp)}\n{digest}"
        signature = _hmac(self._key_4(stamp[:8]), text).hex()
        return f"{self.endpoint}{path}?{query}&X-Amz-Signature={signature}"

    def _scope(self, stamp: str) -> str:
        return f"{stamp[:8]}/{self.region}/s3/aws4_request"

    def _key_4(self, day: str) -> bytes:
        return _signing_key(self.secret_key, day, self.region)


@functools.lru_cache(maxsize=8)
def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = _hmac(f"AWS4{secret}".encode(), day)
    for part in (region, "s3", "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _stamp(now: int) -> str:
    return dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y%m%dT%H%M%SZ")
