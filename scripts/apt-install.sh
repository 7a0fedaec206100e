#!/usr/bin/env bash
# Usage: scripts/apt-install.sh PACKAGE…
# Installs the Debian packages that are missing and starts none of their services.
# Asks for root, and refreshes the package lists, only when something is missing.
set -euo pipefail

installed() {
  [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

find_missing() {
  missing=()
  local package
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
}

(($#)) || { echo "usage: scripts/apt-install.sh PACKAGE…" >&2; exit 64; }
command -v dpkg-query >/dev/null || {
  echo "apt-install.sh: this machine has no dpkg. Install by hand what these Debian packages hold: $*." >&2
  exit 69
}
find_missing "$@"
((${#missing[@]})) || exit 0
((EUID == 0)) || {
  echo "apt-install.sh: not installed: ${missing[*]}. Installing needs root: run the command again as root, or run: sudo apt-get install ${missing[*]}" >&2
  exit 77
}

# A second run waits here and then finds the work done.
exec 9>/run/lock/ragagent-apt.lock
flock 9
find_missing "$@"
((${#missing[@]})) || exit 0

# A package that brings a daemon asks this file whether it may start it. Another engine beside the
# one of this machine, or beside our private ones, must not start.
policy=/usr/sbin/policy-rc.d
aside=/usr/sbin/policy-rc.d.ragagent-aside
log="$(mktemp)"
cleanup() {
  rm -f "$log" "$policy"
  if [[ -e $aside ]]; then mv "$aside" "$policy"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM
# An aside file here is from a run that was killed: it is the machine's own policy, keep it.
if [[ -e $policy && ! -e $aside ]]; then mv "$policy" "$aside"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
# The lock of the package lists knows no timeout, and lists that another run just fetched are as good.
updated() {
  local try
  for try in 1 2 3; do
    "${apt[@]}" update >"$log" 2>&1 && return
    sleep "$((try * 2))"
  done
  return 1
}
echo "Installing from Debian: ${missing[*]}" >&2
updated || {
  cat "$log" >&2
  echo "apt-install.sh: the package lists could not be refreshed. Check the network and the files in /etc/apt/sources.list.d." >&2
  exit 69
}
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 </dev/null || {
  tail -n 30 "$log" >&2
  echo "apt-install.sh: apt-get could not install: ${missing[*]}. Its last lines are above." >&2
  exit 69
}
