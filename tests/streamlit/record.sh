#!/usr/bin/env bash
# Usage: tests/streamlit/record.sh
# Records what real Streamlit sends to a new session, as fixtures for unit tests:
# tests/RagAgent.Tests/Health/Streamlit/VERSION-APP.frames. Each message follows its length, 4 bytes, big endian.
# Needs root: the recorded tracebacks contain paths, so the app runs in /srv of a mount namespace of its own.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="$here/../RagAgent.Tests/Health/Streamlit"
apps=(good/plain good/stop good/rerun broken/missing_package broken/syntax_error broken/exception_late)

if [[ -z ${RAGAGENT_RECORDING:-} ]]; then
  mkdir -p "$target"
  for version in 1.67.0 1.56.0; do
    venv="$("$here/install.sh" "$version")"
    for app in "${apps[@]}"; do
      RAGAGENT_RECORDING=yes unshare --mount "${BASH_SOURCE[0]}" "$venv" "$here/apps/$app.py" "$target/$version-$(basename "$app" | tr _ -).frames"
    done
  done
  exit
fi

# Inside the mount namespace.
venv="$1" app="$2" frames="$(realpath "$3")" client="$(realpath "$here/record.py")"
output="$(mktemp)"
machine_id="$(mktemp)"
mount --bind / /   # what is mounted below stays in here
printf '%032d\n' 1 >"$machine_id"
mount --bind "$machine_id" /etc/machine-id
mount -t tmpfs tmpfs /srv
mkdir -p /srv/venv /srv/app /srv/home
mount --bind "$venv" /srv/venv
cp "$app" /srv/app/app.py
cd /srv/app
port="$(/srv/venv/bin/python -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')"
env -i PATH=/srv/venv/bin:/usr/bin:/bin HOME=/srv/home LANG=C.UTF-8 STREAMLIT_SERVER_PORT="$port" STREAMLIT_SERVER_ADDRESS=127.0.0.1 \
  STREAMLIT_SERVER_HEADLESS=true STREAMLIT_SERVER_FILE_WATCHER_TYPE=none STREAMLIT_BROWSER_SERVER_ADDRESS=localhost \
  STREAMLIT_BROWSER_GATHER_USAGE_STATS=false STREAMLIT_LOGGER_LEVEL=info \
  /srv/venv/bin/python -m streamlit run app.py >"$output" 2>&1 &
server=$!
trap 'kill "$server" && wait "$server" || true; rm -f "$output" "$machine_id"' EXIT
/srv/venv/bin/python "$client" "$port" "$frames" || { cat "$output" >&2; exit 1; }
echo "$(basename "$frames"): $(stat --format %s "$frames") bytes"
