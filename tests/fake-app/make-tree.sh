#!/usr/bin/env bash
# Usage: tests/fake-app/make-tree.sh FILE.tar [PACKAGE,PACKAGE…]
# Creates a tarball of a minimal root file system of this machine's distribution, with PACKAGEs (default: Python and Tornado).
set -euo pipefail

((EUID == 0)) || { echo "make-tree.sh: debootstrap needs root. Run the command as root." >&2; exit 77; }
# Not /tmp, which may be mounted nodev or noexec: debootstrap needs both.
tree="$(mktemp -d /var/tmp/ragagent-tree.XXXXXX)"
cleanup() {
  local mount
  awk -v below="$tree/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while IFS= read -r mount; do
    umount --lazy "$mount"
  done
  rm -rf --one-file-system "$tree"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
packages="${2:-python3,python3-tornado}"

# shellcheck source=/dev/null
. /etc/os-release
if [[ $ID == ubuntu ]]; then
  components=main,universe
  mirror=http://archive.ubuntu.com/ubuntu
else
  components=main
  mirror=http://deb.debian.org/debian
fi
# Prefer this machine's own mirror, if debootstrap understands it.
# shellcheck disable=SC2016 # apt's variables
configured="$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
  awk -v suite="$VERSION_CODENAME" '$1 ~ /^https?:/ && $2 == suite { print $1; exit }')"

echo "Creating a $ID root file system with ${packages//,/, } (once, takes about a minute)" >&2
debootstrap --variant=minbase --components="$components" --include="$packages" \
  "$VERSION_CODENAME" "$tree/root" "${configured:-$mirror}" >"$tree/log" 2>&1 || {
  tail -n 20 "$tree/log" >&2
  echo "make-tree.sh: debootstrap failed. The end of its output is above." >&2
  exit 1
}
# Half of the tree: files that nothing here reads.
(cd "$tree/root" && rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* usr/share/doc usr/share/man usr/share/locale usr/share/i18n)
# Compile Tornado now: the app's user can't write here, and would compile it at every start.
if [[ -d $tree/root/usr/lib/python3/dist-packages/tornado ]]; then
  chroot "$tree/root" python3 -m compileall -q /usr/lib/python3/dist-packages/tornado
fi
tar --create --file "$1" --directory "$tree/root" --numeric-owner --one-file-system .
