#!/usr/bin/env bash
# Installs RagAgent on Ubuntu 24.04, Debian 12 or Amazon Linux 2023. Installs the system's Docker Engine if there is none,
# then runs install.sh from the same unpacked archive. Run it as root.
#
#   ./provision.sh              installs and starts everything
#   ./provision.sh --no-start   doesn't start anything, for building a machine image
#
# It can be repeated, and leaves an existing Docker Engine alone.
set -euo pipefail
umask 022

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
fail() { echo "provision.sh: $*" >&2; exit 1; }
usage() { sed -n '2,8s/^# \{0,1\}//p' "$0"; }
case "$#:${1:-}" in
  0: | 1:--no-start) ;;
  1:-h | 1:--help) usage; exit 0 ;;
  *) usage >&2; exit 64 ;;
esac
((EUID == 0)) || fail "this needs root. Run: sudo ./provision.sh"
[[ -x $here/install.sh ]] || fail "$here/install.sh is missing. Unpack the whole archive again and run provision.sh from there."

os="$(sed -n 's/^ID="\{0,1\}\([a-z]*\)"\{0,1\}$/\1/p' /etc/os-release 2>/dev/null)" || true
if ! command -v dockerd >/dev/null; then
  echo "Docker Engine: installed from the packages of ${os:-the system}"
  case "$os" in
    ubuntu | debian)
      export DEBIAN_FRONTEND=noninteractive
      # The first automatic update of a new machine may hold the lock.
      apt=(apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5)
      # apt-get update has no lock timeout.
      tries=0
      until "${apt[@]}" update; do
        ((++tries < 20)) || fail "can't refresh the package lists. See the output of apt-get above."
        sleep 6
      done
      "${apt[@]}" install -y --no-install-recommends docker.io ca-certificates </dev/null
      ;;
    amzn) dnf install --assumeyes --quiet docker openssl-libs ca-certificates ;;
    *) fail "installing Docker on ${os:-this system} is not supported. Install it yourself, then run install.sh." ;;
  esac
fi
# Amazon Linux doesn't enable it.
systemctl --quiet enable docker.service
[[ ${1:-} == --no-start ]] || systemctl start docker.service

exec "$here/install.sh" "$@"
