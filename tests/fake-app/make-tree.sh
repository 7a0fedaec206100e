#!/usr/bin/env bash
# Usage: tests/fake-app/make-tree.sh FILE.tar [PACKAGE,PACKAGE…]
# A tar of a minimal tree of this machine's distribution: with Python and Tornado, for `docker import`, or with the packages named.
set -euo pipefail

((EUID == 0)) || { echo "make-tree.sh: debootstrap needs root. Run the command as root." >&2; exit 77; }
# Not /tmp: it may be mounted without devices or programs, which debootstrap needs.
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
# The mirror that this machine uses, when it is one that debootstrap understands.
# shellcheck disable=SC2016 # these are apt's variables
configured="$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
  awk -v suite="$VERSION_CODENAME" '$1 ~ /^https?:/ && $2 == suite { print $1; exit }')"

echo "Making a $ID tree with ${packages//,/ and } (once, about a minute)" >&2
debootstrap --variant=minbase --components="$components" --include="$packages" \
  "$VERSION_CODENAME" "$tree/root" "${configured:-$mirror}" >"$tree/log" 2>&1 || {
  tail -n 20 "$tree/log" >&2
  echo "make-tree.sh: debootstrap failed. The end of its output is above." >&2
  exit 1
}
# What a stand-in never reads makes half of the tree.
(cd "$tree/root" && rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* usr/share/doc usr/share/man usr/share/locale usr/share/i18n)
# Byte code, so that the app does not compile Tornado at every start: it runs as a user that may not write here.
if [[ -d $tree/root/usr/lib/python3/dist-packages/tornado ]]; then
  chroot "$tree/root" python3 -m compileall -q /usr/lib/python3/dist-packages/tornado
fi
tar --create --file "$1" --directory "$tree/root" --numeric-owner --one-file-system .
