#!/usr/bin/env bash
# Install the servers that some tests need, on Debian and its relatives. Quick where they are there already.
set -euo pipefail

missing=()
PATH="$PATH:/usr/sbin" command -v nginx >/dev/null || missing+=(nginx-light)
PATH="$PATH:/usr/sbin" command -v mariadbd >/dev/null || missing+=(mariadb-server)
compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null || missing+=(postgresql)
command -v chromium >/dev/null || missing+=(chromium)

if [ "${#missing[@]}" -eq 0 ]; then
    echo "servers: all are installed"
elif ! command -v apt-get >/dev/null; then
    echo "servers: no apt-get; install by hand: ${missing[*]}. Tests that need them are skipped." >&2
elif [ "$(id -u)" -ne 0 ]; then
    echo "servers: only root can install ${missing[*]}. Tests that need them are skipped." >&2
else
    export DEBIAN_FRONTEND=noninteractive
    export RUNLEVEL=1  # install, but do not start: tests start their own, on ports of their own
    apt-get update
    apt-get install --yes --no-install-recommends "${missing[@]}"
fi
