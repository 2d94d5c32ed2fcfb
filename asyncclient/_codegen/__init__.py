"""The generators: ``openapi.json`` to operations and models, async classes to their blocking facades.

Run as ``python -m asyncclient._codegen`` (or ``nox -s generate``). Not part of the wheel; nothing in the package
imports it.

Description → :mod:`._description` → intermediate form (:mod:`._ir`) → text → ``ruff format``; sources of async classes
→ :mod:`._sources` → :mod:`._facade` → text → ``ruff format``. The same input gives the same bytes.
"""
