#!/usr/bin/env bash
# Usage: scripts/apt-install.sh PACKAGE…
# Installs the Debian packages that are missing, without starting their services.
# Needs root, and refreshes the package lists, only if something is missing.
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
  echo "apt-install.sh: dpkg is not installed. Install the equivalents of these Debian packages yourself: $*" >&2
  exit 69
}
find_missing "$@"
((${#missing[@]})) || exit 0
((EUID == 0)) || {
  echo "apt-install.sh: not installed: ${missing[*]}." \
    "Run the command again as root, or run: sudo apt-get install ${missing[*]}" >&2
  exit 77
}

# A parallel run waits here, and then usually finds nothing left to do.
exec 9>/run/lock/ragagent-apt.lock
flock 9
find_missing "$@"
((${#missing[@]})) || exit 0

# A package with a daemon asks this file whether it may start the daemon. It must not: a second Docker Engine would
# disturb the private ones.
policy=/usr/sbin/policy-rc.d
aside=/usr/sbin/policy-rc.d.ragagent-aside
log="$(mktemp)"
cleanup() {
  rm -f "$log" "$policy"
  if [[ -e $aside ]]; then mv "$aside" "$policy"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM
# If there already is one, a killed run has left it: it is the machine's own policy.
if [[ -e $policy && ! -e $aside ]]; then mv "$policy" "$aside"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
# apt-get update has no lock timeout, so this retries.
update_lists() {
  local try
  for try in 1 2 3; do
    "${apt[@]}" update >"$log" 2>&1 && return
    sleep "$((try * 2))"
  done
  return 1
}
echo "Installing from Debian: ${missing[*]}" >&2
update_lists || {
  cat "$log" >&2
  echo "apt-install.sh: can't refresh the package lists. Check the network and the files in /etc/apt/sources.list.d." >&2
  exit 69
}
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 </dev/null || {
  tail -n 30 "$log" >&2
  echo "apt-install.sh: apt-get failed to install ${missing[*]}. See its output above." >&2
  exit 69
}
