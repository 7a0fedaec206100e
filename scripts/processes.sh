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
