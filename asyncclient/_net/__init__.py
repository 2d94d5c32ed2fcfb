"""The HTTP/1.1 connection pool: asyncio protocols, one connection each, behind ``asyncclient._messages.Transport``.

``pool`` hands out connections, ``connection`` speaks on one of them over its ``channel``, ``exchange`` is one request
and its answer. ``wire`` and ``framing`` decide, as pure functions, what is written and what an answer means.
``connect`` and ``tls`` make connections, ``bodies`` and ``multipart`` are what a request may carry.
"""
