# shellcheck shell=bash
# Sourced, with $work set to a folder: checks that are one line each, and what was found below the one that fails.

failures=0
check() { # check SENTENCE COMMAND…
  # shellcheck disable=SC2154 # $work is whose script this is sourced by
  if "${@:2}" >"$work/found" 2>&1; then
    echo "ok    $1"
  else
    echo "FAIL  $1"
    sed 's/^/      /' "$work/found"
    failures=$((failures + 1))
  fi
}
equal() { [[ "$1" == "$2" ]] || { echo "expected: $2"; echo "found:    $1"; return 1; }; }
contains() { [[ "$1" == *"$2"* ]] || { echo "expected in it: $2"; echo "found: $1"; return 1; }; }
at_most() { (($1 <= $2)) || { echo "$1 is more than $2"; return 1; }; }

end_of_checks() { # exit code 1 when one has failed
  ((failures == 0)) || { echo "${0##*/}: $failures failed."; exit 1; }
}
