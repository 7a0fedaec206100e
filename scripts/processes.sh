# shellcheck shell=bash
# Sourced by scripts that start processes and end them.

wait_until() { # wait_until TENTHS-OF-A-SECOND CONDITION…
  local left="$1"
  shift
  until "$@"; do
    ((left-- > 0)) || return 1
    sleep 0.1
  done
}

has_ended() { ! kill -0 "$1" 2>/dev/null; } # has_ended PID

# Finds processes by an argument that no other process has: a recorded PID may have been reused.
# grep gets the argument from stdin. Otherwise a script running at the same time would find this grep.
pids_with_argument() { # pids_with_argument ARGUMENT
  local file
  # shellcheck disable=SC2062 # these are files, and the pattern comes from stdin
  { grep --files-with-matches -zxF --file=- /proc/[0-9]*/cmdline 2>/dev/null <<<"$1" || true; } | while IFS= read -r file; do
    file="${file#/proc/}"
    printf '%s\n' "${file%/cmdline}"
  done
}

# Starts a registry on loopback, with its images in DIR/registry and its log in DIR/registry.log.
# Sets `registry` to its address and `registry_pid`. The caller ends the process.
start_registry() { # start_registry DIR
  cat >"$1/registry.yml" <<YAML
version: 0.1
log: { level: info, formatter: json, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $1/registry } }
http: { addr: "127.0.0.1:0" }
YAML
  docker-registry serve "$1/registry.yml" >"$1/registry.log" 2>&1 &
  registry_pid=$!
  wait_until 100 registry_port "$1" >/dev/null || {
    cat "$1/registry.log" >&2
    echo "${0##*/}: the registry did not start." >&2
    kill "$registry_pid" 2>/dev/null
    return 1
  }
  # shellcheck disable=SC2034 # used by the script that sources this file
  registry="127.0.0.1:$(registry_port "$1")"
}
registry_port() { # registry_port DIR
  jq --raw-output 'select(.msg | startswith("listening on")).msg' "$1/registry.log" | grep -o '[0-9]*$'
}
