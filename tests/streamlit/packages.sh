# shellcheck shell=bash
# Sourced by scripts that install Streamlit. Finds Python and the packages.
# The script sets $here to this folder.

# shellcheck disable=SC2154 # the script sets $here
root="$(cd "$here/../.." && pwd)"
# shellcheck disable=SC2034 # used by the script that sources this file
cache="${XDG_CACHE_HOME:-$HOME/.cache}/ragagent"
unreachable=75

choose_version() { # choose_version VERSION: sets `version` and `requirements`
  version="${1:-}"
  requirements="$here/requirements-$version.txt"
  [[ -s $requirements ]] || {
    echo "${0##*/}: no version '$version'. There are: $(cd "$here" && echo requirements-*.txt | sed 's/requirements-//g; s/\.txt//g')." >&2
    exit 64
  }
}

find_python() { # sets `python` to one that can create virtual environments; prefers the version that the hashes belong to
  for python in /usr/bin/python3.11 python3.11 /usr/bin/python3 python3; do
    ! "$python" -c 'import ensurepip, venv' 2>/dev/null || return 0
  done
  "$root/scripts/apt-install.sh" python3-venv
  python=/usr/bin/python3
}

packages_key() { sha256sum "$requirements" | cut -c1-8; }

say_once() { echo "Installing Streamlit $version $1 (once)" >&2; }

# shellcheck disable=SC2034 # used by the scripts that source this file
find_packages() { # sets `wheels` (empty: pip's index) and `pip_options`; exits with 75 if there are no packages
  wheels="$(realpath -m -- "${RAGAGENT_WHEELS:-$root/../shared/wheels}")"
  if [[ -s $wheels/streamlit-$version-py3-none-any.whl ]]; then
    pip_options=(--no-index --find-links "$wheels")
    return
  fi
  # pip would retry for minutes.
  if "$python" -m pip index versions streamlit --timeout 10 --retries 0 2>/dev/null | grep -qwF "$version"; then
    wheels='' pip_options=()
    return
  fi
  echo "Streamlit $version is not available: $wheels has no wheels, and pip reaches no package index." >&2
  exit "$unreachable"
}

# The hashes are those of the files for Python 3.11. For another Python, the versions are locked and pip trusts its index.
write_requirements() { # write_requirements: prints the list for `python`
  if [[ "$("$python" -c 'import sys; print(*sys.version_info[:2], sep=".")')" == 3.11 ]]; then
    cat "$requirements"
  else
    sed 's/ --hash=.*//' "$requirements"
  fi
}
