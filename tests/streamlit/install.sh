#!/usr/bin/env bash
# Usage: tests/streamlit/install.sh VERSION
# Installs real Streamlit and all it needs into a virtual environment, once, and prints its folder.
# requirements-VERSION.txt names every package with its version and hash.
#
# The packages come from the folder of wheels that RAGAGENT_WHEELS names (by default ../shared/wheels, next to this
# repository), or from pip's package index.
# Exit code 75: there is neither. Tests that need Streamlit are skipped then.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/streamlit/packages.sh
source "$here/packages.sh"
choose_version "$@"

find_python
venv="$cache/streamlit-$version-$("$python" -c 'import sys; print(*sys.version_info[:2], sep=".")')-$(packages_key)"
mkdir -p "$cache"
# Parallel runs wait for the first one. The folder can't be moved later: its programs contain its path.
exec 9>"$venv.lock"
flock 9
# The Python that made it may be gone.
if [[ ! -e $venv/complete ]] || ! "$venv/bin/python" -c '' 2>/dev/null; then
  rm -rf "$venv"
  find_packages
  [[ -z $wheels ]] || say_once "from $wheels"
  [[ -n $wheels ]] || say_once "from pip's package index"
  log="$(mktemp)"
  trap 'rm -f "$log"' EXIT
  { "$python" -m venv "$venv" && write_requirements >"$venv/requirements.txt" &&
    "$venv/bin/pip" install "${pip_options[@]}" --no-deps --requirement "$venv/requirements.txt"; } >"$log" 2>&1 </dev/null || {
    tail -n 20 "$log" >&2
    echo "install.sh: pip could not install Streamlit $version. The end of its output is above." >&2
    exit 1
  }
  touch "$venv/complete"
fi
echo "$venv"
