# shellcheck shell=bash
# Sourced by scripts that check something. Each check prints one line, and its output below that line if it fails.
# The script sets $work to a temporary folder.

failures=0
check() { # check SENTENCE COMMAND…
  # shellcheck disable=SC2154 # the script sets $work
  if "${@:2}" >"$work/output" 2>&1; then
    echo "ok    $1"
  else
    echo "FAIL  $1"
    sed 's/^/      /' "$work/output"
    failures=$((failures + 1))
  fi
}
equal() { [[ "$1" == "$2" ]] || { echo "expected: $2"; echo "actual:   $1"; return 1; }; } # equal ACTUAL EXPECTED
contains() { [[ "$1" == *"$2"* ]] || { echo "expected: …$2…"; echo "actual:   $1"; return 1; }; } # contains ACTUAL PART
at_most() { (($1 <= $2)) || { echo "$1 is more than $2"; return 1; }; } # at_most ACTUAL LIMIT

finish_checks() { # exits with 1 if a check failed
  ((failures == 0)) || { echo "${0##*/}: $failures failed."; exit 1; }
}
