# shellcheck shell=bash
# Sourced by scripts that start processes and end them again.

wait_until() { # wait_until TENTHS CONDITION…
  local left="$1"
  shift
  until "$@"; do
    ((left-- > 0)) || return 1
    sleep 0.1
  done
}

# The processes that were started with this very argument: a recorded id can belong to another process by now.
# The argument goes to grep by its input: a script beside this one would take that grep for what it looks for.
pids_with_argument() {
  local file
  # shellcheck disable=SC2062 # these are files: what is looked for comes by the input
  { grep --files-with-matches -zxF --file=- /proc/[0-9]*/cmdline 2>/dev/null <<<"$1" || true; } | while IFS= read -r file; do
    file="${file#/proc/}"
    printf '%s\n' "${file%/cmdline}"
  done
}

# A registry on loopback, with its images in DIR/registry and its log in DIR/registry.log. Sets `registry` to its address,
# and `registry_pid`, which the caller ends.
start_registry() { # start_registry DIR
  cat >"$1/registry.yml" <<YAML
version: 0.1
log: { level: info, formatter: json, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $1/registry } }
http: { addr: "127.0.0.1:0" }
YAML
  docker-registry serve "$1/registry.yml" >"$1/registry.log" 2>&1 &
  # shellcheck disable=SC2034 # who sources this ends it
  registry_pid=$!
  wait_until 100 registry_port "$1" >/dev/null || { cat "$1/registry.log"; echo "${0##*/}: the registry did not start." >&2; kill "$registry_pid" 2>/dev/null; return 1; }
  # shellcheck disable=SC2034
  registry="127.0.0.1:$(registry_port "$1")"
}
registry_port() { jq --raw-output 'select(.msg | startswith("listening on")).msg' "$1/registry.log" | grep -o '[0-9]*$'; } # registry_port DIR
