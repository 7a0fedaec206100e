#!/usr/bin/env bash
# Makes a machine with Ubuntu 24.04, Debian 12 or Amazon Linux 2023 ready for RagAgent: installs the system's own Docker Engine when there
# is none, then runs install.sh, which lies beside this file in the unpacked archive. Run it as root.
#
#   ./provision.sh              on a machine that is to serve
#   ./provision.sh --no-start   while an image is baked
#
# It can be repeated: what is there is left alone.
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
  echo "The Docker Engine: installed from ${os:-the system}'s packages"
  case "$os" in
    ubuntu | debian)
      export DEBIAN_FRONTEND=noninteractive
      # A fresh machine's own first update may hold the lock.
      apt=(apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5)
      # The lock of the package lists knows no timeout.
      tries=0
      until "${apt[@]}" update; do
        ((++tries < 20)) || fail "the package lists could not be refreshed. Its last words are above."
        sleep 6
      done
      "${apt[@]}" install -y --no-install-recommends docker.io ca-certificates </dev/null
      ;;
    amzn) dnf install --assumeyes --quiet docker openssl-libs ca-certificates ;;
    *) fail "how ${os:-this system} installs Docker is not known here. Install it, then run install.sh." ;;
  esac
fi
# Amazon Linux leaves it off.
systemctl --quiet enable docker.service
[[ ${1:-} == --no-start ]] || systemctl start docker.service

exec "$here/install.sh" "$@"
