#!/usr/bin/env bash
# Usage: scripts/check-install.sh [TARBALL]
# Installs, upgrades and removes the package (the newest of dist/ when none is named) in a tree of this machine's
# distribution and looks at what is there afterwards: one line a point, exit 1 when one failed. Nothing is started,
# and nothing outside the tree is touched.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
fail() { echo "check-install.sh: $*" >&2; exit 1; }

tarball="${1:-$(find "$root/dist" -name 'ragagent-*-linux-x64.tar.gz' -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2-)}"
[[ -n $tarball ]] || fail "there is no package in dist/. Make one: packaging/build.sh"
[[ -f $tarball ]] || fail "there is no file $tarball."
tarball="$(realpath -- "$tarball")"
((EUID == 0)) || fail "a tree of another system can be entered as root only. Run the command as root."

# In a mount namespace of its own: whatever way this ends, no mount of it is left on the machine.
if [[ ${RAGAGENT_CHECK_INSTALL:-} != inside ]]; then
  RAGAGENT_CHECK_INSTALL=inside exec unshare --mount --propagation private "$0" "$tarball"
fi
"$root/scripts/apt-install.sh" debootstrap systemd util-linux

# --- A machine with systemd and Docker, as far as install.sh looks at it.
# Not /tmp: it may be mounted without devices or programs.
work="$(mktemp -d /var/tmp/ragagent-install.XXXXXX)"
tree="$work/tree"
cleanup() {
  umount "$tree/proc" 2>/dev/null || umount --lazy "$tree/proc" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# shellcheck source=/dev/null
os="$(. /etc/os-release && echo "$ID-$VERSION_CODENAME")"
cached="${XDG_CACHE_HOME:-$HOME/.cache}/ragagent/systemd-$os-1.tar"
mkdir -p "$(dirname "$cached")"
(
  # Two checks side by side: the first one makes the tree, the other waits for it.
  flock 9
  [[ -s $cached ]] || {
    "$root/tests/fake-app/make-tree.sh" "$cached.new" systemd,procps,libssl3,ca-certificates
    mv "$cached.new" "$cached"
  }
) 9>"$cached.lock"
mkdir "$tree"
tar --extract --file "$cached" --directory "$tree" --numeric-owner
mount -t proc proc "$tree/proc"

program() { printf '#!/bin/sh\n%s\n' "${2:-exit 0}" >"$1" && chmod 755 "$1"; }
program "$tree/usr/sbin/dockerd"
mkdir -p "$tree/lib/systemd/system"
printf '[Unit]\nDescription=Docker\n[Service]\nExecStart=/usr/sbin/dockerd\n' >"$tree/lib/systemd/system/docker.service"

inside() { chroot "$tree" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }
inside groupadd --system docker

# The archive as it is, and an older one made from it: another binary, unit and sample.
unpack() { mkdir -p "$1" && tar --extract --gzip --file "$tarball" --directory "$1" --strip-components=1 --no-same-owner; }
unpack "$tree/tmp/new"
unpack "$tree/tmp/old"
# shellcheck disable=SC2016 # the older binary's own variable
program "$tree/tmp/old/ragagent" 'echo ragagent 0.0.1'
sed -i 's/^Description=.*/Description=RagAgent, an older one/' "$tree/tmp/old/ragagent.service"
sed -i '1s/.*/\/\/ An older sample./' "$tree/tmp/old/ragagent.json"
version="$(basename "$tarball" -linux-x64.tar.gz)"
version="${version#ragagent-}"

# shellcheck source=scripts/checks.sh
source "$root/scripts/checks.sh"
# What the last run of a script said is in $work/said, its exit code in $code.
run() { code=0; inside "$@" >"$work/said" 2>&1 || code=$?; }
succeeded() { ((code == 0)) || { echo "exit code $code"; cat "$work/said"; return 1; }; }
says() { grep -qF -- "$1" "$work/said" || { echo "expected: $1"; echo "it said:"; cat "$work/said"; return 1; }; }
has() { equal "$(stat --format='%F %a %U:%G' "$tree$2" 2>&1)" "$1"; }
same() { cmp "$tree/tmp/$1" "$tree$2"; }
absent() { [[ ! -e $tree$1 && ! -L $tree$1 ]] || { ls -ld "$tree$1"; return 1; }; }
# Every file with its kind, mode, owner, size, times and, where a package could write, its content. What lies in /tmp is ours.
listing() {
  (
    cd "$tree"
    find . -xdev \( -path ./tmp -o -path ./proc \) -prune -o -printf '%p %y %m %U:%G %s %T@ %C@ %l\n' | sort
    find etc usr/bin usr/share var/lib -xdev -type f -exec sha256sum {} + | sort -k 2
  )
}
paths() { (cd "$tree" && find . -xdev \( -path ./tmp -o -path ./proc \) -prune -o -print | sort); }
untouched() { listing | diff "$work/before" -; }

# --- What it refuses: a sentence, an exit code, and nothing left behind.
refused() { # refused WHAT SENTENCE COMMAND…
  listing >"$work/before"
  run "${@:3}"
  check "refuses $1" equal "$code" "${expected:-1}"
  check "  and says so" says "$2"
  check "  and leaves nothing behind" untouched
}
without() { # without PATH WHAT SENTENCE: the same on a machine that lacks a file
  mv "$tree$1" "$tree$1.aside"
  refused "$2" "$3" /tmp/new/install.sh --no-start
  mv "$tree$1.aside" "$tree$1"
}
refused "another user than root" "installing needs root. Run: sudo ./install.sh" \
  setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/new/install.sh --no-start
mkdir "$tree/tmp/fake"
# shellcheck disable=SC2016 # the fake's own argument
program "$tree/tmp/fake/uname" 'if [ "$1" = -m ]; then echo aarch64; else exec /bin/uname "$@"; fi'
refused "another architecture" "this archive is for x86_64; this machine is aarch64" \
  env PATH=/tmp/fake:/usr/sbin:/usr/bin /tmp/new/install.sh --no-start
without /usr/bin/systemctl "a machine without systemd" "systemd is not installed"
without /usr/sbin/dockerd "a machine without Docker" "the Docker Engine is not installed. Run: apt-get"
without /lib/systemd/system/docker.service "a Docker that systemd does not know" "there is a dockerd but no docker.service"
inside groupdel docker
refused "a Docker without its group" "there is no group 'docker'" /tmp/new/install.sh --no-start
inside groupadd --system docker
without /etc/ssl/certs "a machine without certificates" "there are no certificates in /etc/ssl/certs"
mv "$tree/etc/ld.so.cache" "$tree/etc/ld.so.cache.aside"
inside ldconfig -p >/dev/null 2>&1 && fail "the tree has no ld.so.cache, and ldconfig still finds libraries."
refused "a machine without OpenSSL" "OpenSSL's library (libssl.so.3) is not installed" /tmp/new/install.sh --no-start
mv "$tree/etc/ld.so.cache.aside" "$tree/etc/ld.so.cache"
cp -r "$tree/tmp/new" "$tree/tmp/partial"
for file in ragagent ragagent.service ragagent.socket ragagent.catalog ragagent.json ragagent.schema.json ragagent.8 ragagent.bash uninstall.sh LICENSE docs/configuration.md; do
  mv "$tree/tmp/partial/$file" "$work/"
  refused "an archive without $file" "/tmp/partial/$file is missing. Unpack the whole archive again" /tmp/partial/install.sh --no-start
  mv "$work/${file##*/}" "$tree/tmp/partial/$file"
done
# The loader itself refuses: the binary asks for a version of glibc that there is not.
LC_ALL=C sed -i 's/GLIBC_2\.34/GLIBC_9.34/g' "$tree/tmp/partial/ragagent"
refused "a glibc that is too old" "the binary needs glibc 9.34 or later; this machine has glibc 2." /tmp/partial/install.sh --no-start
refused "to start where systemd does not run" "Use --no-start; the service starts at the next boot." /tmp/new/install.sh
expected=64 refused "an option that it does not know" "unknown option --now. --help lists the options." /tmp/new/install.sh --now
listing >"$work/before"
run /tmp/new/install.sh --no-start --dry-run
check "a dry run succeeds" succeeded
check "  and names what it would do" says "/usr/bin/ragagent: installed"
check "  and leaves nothing behind" untouched

# --- The first installation.
paths >"$work/paths"
folders=(doc_raw chroma_db splade_db memory logs)
run /tmp/new/install.sh --no-start
cp "$work/said" "$work/first"
check "installs" succeeded
check "the binary is the archive's" same new/ragagent /usr/bin/ragagent
check "  and everybody may run it" has "regular file 755 root:root" /usr/bin/ragagent
check "  and 'ragagent --version' is the archive's version, $version" equal "$(inside ragagent --version 2>&1)" "ragagent $version"
check "the unit is the archive's" same new/ragagent.service /etc/systemd/system/ragagent.service
check "  with the owner and mode of a unit" has "regular file 644 root:root" /etc/systemd/system/ragagent.service
check "  and starts at every boot" equal "$(inside systemctl is-enabled ragagent.service 2>&1)" enabled
check "the socket is the archive's" same new/ragagent.socket /etc/systemd/system/ragagent.socket
check "  with the owner and mode of a unit" has "regular file 644 root:root" /etc/systemd/system/ragagent.socket
check "  and is there at every boot" equal "$(inside systemctl is-enabled ragagent.socket 2>&1)" enabled
check "the manual page is the archive's" same new/ragagent.8 /usr/share/man/man8/ragagent.8
check "the completion is the archive's" same new/ragagent.bash /usr/share/bash-completion/completions/ragagent
# shellcheck disable=SC2016 # the inner shell's own
suggests() { inside bash -c 'source /usr/share/bash-completion/completions/ragagent; COMP_LINE="$*" COMP_POINT=${#COMP_LINE}; _ragagent ragagent "${!#}"; printf "%s\n" "${COMPREPLY[@]}"' _ "$@"; }
check "  and it knows the commands" equal "$(suggests ragagent ro)" rollback
for page in "$tree"/tmp/new/docs/*.md; do
  check "${page##*/} is the archive's, where messages say that it is" same "new/docs/${page##*/}" "/usr/share/doc/ragagent/${page##*/}"
  check "  and everybody may read it" has "regular file 644 root:root" "/usr/share/doc/ragagent/${page##*/}"
done
check "the license is the archive's" same new/LICENSE /usr/share/doc/ragagent/LICENSE
check "  and everybody may read it" has "regular file 644 root:root" /usr/share/doc/ragagent/LICENSE
# What a document links to, and what the sample and the journal's texts name, is there.
links_lead_somewhere() {
  local doc="$tree/usr/share/doc/ragagent" named missing=0
  while IFS= read -r named; do
    [[ -e $doc/$named ]] || { echo "there is no $named"; missing=1; }
  done < <({ grep -ohE '\]\([^)#: ]+' "$doc"/*.md | cut -c3-; grep -ohE '/usr/share/doc/ragagent/[a-z.]+\.md' "$tree"/usr/share/ragagent/ragagent.json "$tree/usr/lib/systemd/catalog/ragagent.catalog" | sed 's|.*/||'; } | sort -u)
  return "$missing"
}
check "  and all that they link to is there" links_lead_somewhere
catalog=/usr/lib/systemd/catalog/ragagent.catalog
check "the journal's catalog is the archive's" same new/ragagent.catalog "$catalog"
check "  and the journal explains what it has" equal "$(inside journalctl --list-catalog | grep -c RagAgent)" "$(grep -c '^-- ' "$tree$catalog")"
verify() {
  # It exits 0 for a key that it does not know: whatever it says of our unit is a finding.
  local said
  said="$(inside systemd-analyze verify --man=no ragagent.service ragagent.socket 2>&1)" || { echo "$said"; return 1; }
  ! grep -F ragagent <<<"$said"
}
check "  and is valid (systemd-analyze verify)" verify
for file in ragagent.json ragagent.schema.json uninstall.sh; do
  check "/usr/share/ragagent/$file is the archive's" same "new/$file" "/usr/share/ragagent/$file"
done
for file in ragagent.json ragagent.schema.json; do check "  $file can be read" has "regular file 644 root:root" "/usr/share/ragagent/$file"; done
check "  uninstall.sh can be run" has "regular file 755 root:root" /usr/share/ragagent/uninstall.sh
check "  their folder is root's" has "directory 755 root:root" /usr/share/ragagent
check "the configuration is the sample" same new/ragagent.json /etc/ragagent.json
check "  that the service may read" has "regular file 644 root:root" /etc/ragagent.json
run ragagent config check
check "  and 'ragagent config check' takes it" says "/etc/ragagent.json is valid."
entry="$(inside getent passwd ragagent || true)"
check "the user is there, without a login" equal "$(cut -d: -f1,6,7 <<<"$entry")" ragagent:/var/lib/ragagent:/usr/sbin/nologin
check "  with an id of the system's" test "$(cut -d: -f3 <<<"$entry")" -lt 1000
check "  in the groups ragagent and docker" equal "$(inside id -nG ragagent 2>&1)" "ragagent docker"
for folder in "${folders[@]}"; do
  path="/var/lib/ragstream/$folder"
  check "$path is the app's" equal "$(stat --format='%F %a %u:%g' "$tree$path" 2>&1)" "directory 750 1000:1000"
  cp "$work/first" "$work/said"
  check "  and it said so" says "$path: created for the app (1000:1000)"
done
check "  in a folder of root's" has "directory 755 root:root" /var/lib/ragstream
volumes="$(sed -n 's|.*"host": "/var/lib/ragstream/\([a-z_]*\)".*|\1|p' "$tree/etc/ragagent.json")"
check "  and there is one for each volume of the sample" equal "$(ls "$tree/var/lib/ragstream" 2>&1)" "$(sort <<<"$volumes")"
check "nothing is half done" equal "$(find "$tree"/{etc,usr} -xdev -name '*.new')" ''

# --- Once more.
listing >"$work/before"
run /tmp/new/install.sh --no-start
check "a second run succeeds" succeeded
check "  and says that there is nothing to do" equal "$(cat "$work/said")" "Nothing to change: ragagent $version is installed."
check "  and changes nothing" untouched
chmod 700 "$tree/usr/bin/ragagent"
run /tmp/new/install.sh --no-start
check "a wrong mode is put right" has "regular file 755 root:root" /usr/bin/ragagent
rm -rf "$tree/var/lib/ragstream/logs"
run /tmp/new/install.sh --no-start
check "no folder is made when the configuration is not" absent /var/lib/ragstream/logs

# --- Removal.
mkdir -m 700 "$tree/var/lib/ragagent"
echo state >"$tree/var/lib/ragagent/state"
echo document >"$tree/var/lib/ragstream/doc_raw/document"
listing >"$work/before"
run setpriv --reuid=65534 --regid=65534 --clear-groups /usr/share/ragagent/uninstall.sh
check "removing is refused to another user than root" says "removing needs root"
check "  and nothing is removed" untouched
run /usr/share/ragagent/uninstall.sh
check "uninstall.sh succeeds" succeeded
for path in /usr/bin/ragagent /etc/systemd/system/ragagent.{service,socket} /etc/systemd/system/multi-user.target.wants/ragagent.service \
  /etc/systemd/system/sockets.target.wants/ragagent.socket /usr/share/ragagent /usr/share/doc/ragagent "$catalog" /usr/share/man/man8/ragagent.8 /usr/share/bash-completion/completions/ragagent; do
  check "  $path is gone" absent "$path"
done
check "  and the journal explains nothing of it any more" equal "$(inside journalctl --list-catalog | grep -c RagAgent)" 0
check "  the configuration is kept" same new/ragagent.json /etc/ragagent.json
check "  the state is kept" test -s "$tree/var/lib/ragagent/state"
check "  the user is kept" inside getent passwd ragagent
run /tmp/new/uninstall.sh
check "  and it can be repeated" succeeded
run /tmp/new/install.sh --no-start
check "what was removed can be installed again" equal "$code $(inside systemctl is-enabled ragagent.service)" "0 enabled"
run /usr/share/ragagent/uninstall.sh --purge
check "uninstall.sh --purge succeeds" succeeded
check "  the app's data is kept" test -s "$tree/var/lib/ragstream/doc_raw/document"
check "  the user is gone" equal "$(inside getent passwd ragagent)$(inside getent group ragagent)" ''
# passwd- and its like are the copies that useradd keeps; below /run/systemd is what systemctl notes for itself.
nothing_left() { ! { paths | comm -13 "$work/paths" - | grep -vE '^\./var/lib/ragstream(/|$)|^\./etc/(passwd|shadow|group|gshadow|subuid|subgid)-$|^\./run/systemd/|^\./usr/share/(man(/man8)?|doc)$'; }; }
check "  and nothing else is left" nothing_left
run /tmp/new/uninstall.sh --purge
check "  and it can be repeated" succeeded

# --- An upgrade.
run /tmp/old/install.sh --no-start
check "an older version installs" succeeded
printf '{ "image": "my-own" }\n' >"$tree/etc/ragagent.json"
chmod 640 "$tree/etc/ragagent.json"
own="$(stat --format='%a %U:%G %i %Y' "$tree/etc/ragagent.json") $(cat "$tree/etc/ragagent.json")"
run /tmp/new/install.sh --no-start
check "the newer one goes over it" succeeded
check "  and says what it replaced" says "/usr/bin/ragagent: replaced"
check "  the binary is the new one" equal "$(inside ragagent --version)" "ragagent $version"
check "  the unit is the new one" same new/ragagent.service /etc/systemd/system/ragagent.service
check "  the sample is the new one" same new/ragagent.json /usr/share/ragagent/ragagent.json
check "  the unit is still enabled" equal "$(inside systemctl is-enabled ragagent.service)" enabled
check "  the own configuration is as it was" equal "$(stat --format='%a %U:%G %i %Y' "$tree/etc/ragagent.json") $(cat "$tree/etc/ragagent.json")" "$own"
rm "$tree/etc/ragagent.json"
ln -s /mnt/later/ragagent.json "$tree/etc/ragagent.json"
run /tmp/new/install.sh --no-start
check "a configuration that is a link to what is not there yet stays one" equal "$(readlink "$tree/etc/ragagent.json")" /mnt/later/ragagent.json

# --- The same as a package of Debian's.
run /usr/share/ragagent/uninstall.sh --purge
inside userdel ragagent 2>/dev/null || true
rm -rf "$tree/var/lib/ragstream"
"$root/packaging/deb.sh" "$tarball" >"$work/said" 2>&1 || { cat "$work/said"; fail "deb.sh failed."; }
deb="$(find "$root/dist" -name 'ragagent_*_amd64.deb' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)"
sum="$(sha256sum <"$deb")"
"$root/packaging/deb.sh" "$tarball" >/dev/null
check "the same archive makes the same package" equal "$(sha256sum <"$deb")" "$sum"
for_dpkg() { "$root/packaging/deb.sh" --version "$1"; }
sorted() { # sorted EARLIER LATER: as dpkg has it
  dpkg --validate-version "$(for_dpkg "$2")" || return
  dpkg --compare-versions "$(for_dpkg "$1")" lt "$(for_dpkg "$2")" || { echo "$(for_dpkg "$1") is not before $(for_dpkg "$2")"; return 1; }
}
check "a candidate's version is dpkg's for one" equal "$(for_dpkg 1.3.0-rc1)" '1.3.0~rc1'
ordered=(1.2.9 1.3.0-rc1 1.3.0-rc1-2-gabcdef 1.3.0-rc2-dirty 1.3.0-rc10 1.3.0 1.3.0-4-gabcdef 1.3.0-10-gabcdef-dirty 1.3.1-alpha.1 1.3.1)
for ((i = 1; i < ${#ordered[@]}; i++)); do check "  ${ordered[i]} comes after ${ordered[i - 1]}" sorted "${ordered[i - 1]}" "${ordered[i]}"; done
cp "$deb" "$tree/tmp/ragagent.deb"
paths >"$work/paths"
# A systemd that runs, as far as it is asked: what it is told is in /tmp/told, what the service is in /tmp/active. The units' files are the real one's.
mkdir "$tree/tmp/booted"
# shellcheck disable=SC2016 # the stand-in's own
program "$tree/tmp/booted/systemctl" 'case " $* " in
  *" is-active "*) cat /tmp/active; grep -qx active /tmp/active ;;
  *" start "* | *" stop "* | *" restart "*) echo "$*" >>/tmp/told; [ ! -e /tmp/fails ] ;;
  *" daemon-reload "*) ;;
  *) SYSTEMD_OFFLINE=1 exec /usr/bin/systemctl "$@" ;;
esac'
active() { echo "$1" >"$tree/tmp/active"; } # active STATE: what systemd says of the service
active inactive
booted() { # booted COMMAND…: runs it where systemd runs
  : >"$tree/tmp/told"
  mkdir -p "$tree/run/systemd/system"
  run env PATH=/tmp/booted:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
  rmdir "$tree/run/systemd/system"
}
# Docker is a stand-in here that dpkg knows nothing of.
run dpkg --install --force-depends /tmp/ragagent.deb
check "the package installs" succeeded
check "  its version is the archive's" equal "$(inside ragagent --version 2>&1)" "ragagent $version"
for unit in ragagent.service ragagent.socket; do
  check "  $unit is the archive's" same "new/$unit" "/usr/lib/systemd/system/$unit"
  check "  and is there at every boot" equal "$(inside systemctl is-enabled "$unit" 2>&1)" enabled
done
check "  the user is there" equal "$(inside id -nG ragagent 2>&1)" "ragagent docker"
check "  the configuration is the sample" same new/ragagent.json /etc/ragagent.json
check "  the license is the archive's" same new/LICENSE /usr/share/doc/ragagent/LICENSE
for page in "$tree"/tmp/new/docs/*.md; do check "  ${page##*/} is the archive's" same "new/docs/${page##*/}" "/usr/share/doc/ragagent/${page##*/}"; done
check "  and the journal explains what it has" equal "$(inside journalctl --list-catalog | grep -c RagAgent)" "$(grep -c '^-- ' "$tree$catalog")"
run /tmp/new/install.sh --no-start
check "an archive is not put over it" says "RagAgent is installed here as a package."
booted /usr/share/ragagent/uninstall.sh
check "uninstall.sh leaves it to dpkg" says "RagAgent was installed as a package, so nothing was removed."
check "  and stops nothing" equal "$(cat "$tree/tmp/told")" ''
check "  and removes nothing" test -x "$tree/usr/bin/ragagent"
printf '{ "image": "my-own" }\n' >"$tree/etc/ragagent.json"
run dpkg --install --force-depends /tmp/ragagent.deb
check "it can be installed over itself" succeeded
check "  and the own configuration is kept" equal "$(cat "$tree/etc/ragagent.json")" '{ "image": "my-own" }'

# An upgrade is the administrator's to decide on, and no reason to leave the package half configured.
state() { inside systemctl is-enabled ragagent.service ragagent.socket 2>/dev/null | uniq; }
told() { equal "$(cat "$tree/tmp/told")" "$1"; }
# shellcheck disable=SC2016 # dpkg's own variable
configured() { succeeded && equal "$(inside dpkg-query --show --showformat='${db:Status-Status}' ragagent)" installed; }
upgrade() { booted dpkg --install --force-depends /tmp/ragagent.deb; }
cp "$tree/usr/share/ragagent/ragagent.json" "$tree/etc/ragagent.json"
active active
upgrade
check "an upgrade restarts a service that runs" told "restart ragagent.service"
active activating
upgrade
check "  or that is about to" told "restart ragagent.service"
active inactive
upgrade
check "  and one that was stopped stays stopped" told ''
check "  while it is still enabled" equal "$(state)" enabled
inside systemctl --quiet disable ragagent.service ragagent.socket
upgrade
check "a disabled service stays disabled" equal "$(state)" disabled
check "  and stopped" told ''
check "  and it is said" says "The service does not start by itself, it is disabled."
active active
upgrade
check "  one that runs is restarted" told "restart ragagent.service"
check "  and stays disabled" equal "$(state)" disabled
active inactive
booted dpkg --remove ragagent
upgrade
check "  also when the package was away" equal "$(state)" disabled
check "  and nothing starts it" told ''
inside systemctl --quiet enable ragagent.service
booted dpkg --remove ragagent
check "what was enabled when it was removed" equal "$(state)" ''
upgrade
check "  is enabled when it is installed again" equal "$(state)" enabled
check "  and started" told "start ragagent.service"
program "$tree/usr/sbin/policy-rc.d" 'exit 101'
active active
upgrade
check "nothing is restarted where policy-rc.d forbids it" told ''
rm "$tree/usr/sbin/policy-rc.d"
touch "$tree/tmp/fails"
upgrade
check "a service that does not restart leaves the package configured" configured
check "  and it is said" says "the service did not restart. See why: journalctl -u ragagent -n 30"
echo '{ "image": }' >"$tree/etc/ragagent.json"
upgrade
check "a configuration that can't be used does, too" configured
check "  and it is said" says "the configuration can't be used"
check "  and the agent that runs is left alone" told ''
rm "$tree/tmp/fails"
printf '{ "image": "my-own" }\n' >"$tree/etc/ragagent.json"
cp "$tree/usr/lib/systemd/system/ragagent.service" "$tree/etc/systemd/system/"
upgrade
check "an administrator's own unit is kept" test -f "$tree/etc/systemd/system/ragagent.service"
rm -f "$tree/etc/systemd/system/ragagent.service"
inside systemctl --quiet mask ragagent.service
upgrade
check "a masked service leaves the package configured" configured
check "  and stays masked" equal "$(inside systemctl is-enabled ragagent.service 2>&1)" masked
check "  and is not told to restart" told ''
active inactive
booted dpkg --remove ragagent
check "  the package can be removed" succeeded
upgrade
check "  and installed again" configured
check "  and is masked as before" equal "$(inside systemctl is-enabled ragagent.service 2>&1)" masked
inside systemctl --quiet unmask ragagent.service
inside systemctl --quiet enable ragagent.service
run dpkg --remove ragagent
check "it can be removed" succeeded
check "  the program is gone" absent /usr/bin/ragagent
check "  no unit is left to start" absent /etc/systemd/system/multi-user.target.wants/ragagent.service
check "  the configuration is kept" test -s "$tree/etc/ragagent.json"
run /tmp/new/install.sh --no-start
run dpkg --install --force-depends /tmp/ragagent.deb
check "the package is put over an archive" succeeded
for path in /etc/systemd/system/ragagent.{service,socket} /usr/share/man/man8/ragagent.8; do check "  the archive's $path is gone" absent "$path"; done
check "  the package's manual page is there" test -s "$tree/usr/share/man/man8/ragagent.8.gz"
check "  and it starts at every boot" equal "$(inside systemctl is-enabled ragagent.service 2>&1)" enabled
run dpkg --remove ragagent
check "  and is gone from there when it is removed" absent /etc/systemd/system/multi-user.target.wants/ragagent.service
run /tmp/new/install.sh --no-start
check "the archive is put where the package was" succeeded
mkdir -p "$tree/var/lib/ragagent"
echo state >"$tree/var/lib/ragagent/state"
run dpkg --purge ragagent
check "  and what is left of the package can be purged" succeeded
check "  the archive's program is there" same new/ragagent /usr/bin/ragagent
check "  its configuration, too" equal "$(cat "$tree/etc/ragagent.json" 2>&1)" '{ "image": "my-own" }'
check "  its state, too" test -s "$tree/var/lib/ragagent/state"
check "  its user, too" equal "$(inside id -nG ragagent 2>&1)" "ragagent docker"
run /usr/share/ragagent/uninstall.sh
run dpkg --install --force-depends /tmp/ragagent.deb
check "the package is put where the archive was removed" succeeded
program "$tree/tmp/fake/userdel" 'echo "userdel: user ragagent is currently used by process 1" >&2; exit 8'
run env PATH=/tmp/fake:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin dpkg --purge ragagent
check "a user that is in use holds up no purge" succeeded
check "  and it is said" says "the user ragagent is left"
check "  the rest is gone" absent /etc/ragagent.json
rm "$tree/tmp/fake/userdel"
inside systemctl --quiet mask ragagent.service
upgrade
check "a service that was masked before the first installation leaves the package configured" configured
check "  and is not told to start" told ''
inside systemctl --quiet unmask ragagent.service
run dpkg --purge ragagent
upgrade
check "the first installation enables the service" equal "$(state)" enabled
check "  and starts it" told "start ragagent.service"
run dpkg --purge ragagent
check "it can be purged" succeeded
check "  the user is gone" equal "$(inside getent passwd ragagent)" ''
package_left() { ! { paths | comm -13 "$work/paths" - | grep -vE '^\./var/lib/(ragstream|dpkg)(/|$)|^\./etc/(passwd|shadow|group|gshadow|subuid|subgid)-$|^\./run/systemd/|^\./var/log/'; }; }
check "  and nothing else is left" package_left

# --- provision.sh, with the systems' package managers as notebooks that bring a dockerd.
mkdir "$tree/tmp/managers"
for manager in apt-get dnf; do
  # shellcheck disable=SC2016 # the notebook's own variables
  program "$tree/tmp/managers/$manager" 'echo "${0##*/} $*" >>/tmp/asked; case "$*" in *install*) cp /tmp/dockerd /usr/sbin/dockerd ;; esac'
done
cp "$tree/usr/sbin/dockerd" "$tree/tmp/dockerd"
provide() { # provide ID: on such a system, without an engine
  rm -f "$tree/usr/sbin/dockerd" "$tree/tmp/asked"
  sed -i "s/^ID=.*/ID=$1/" "$tree/etc/os-release"
  run env PATH=/tmp/managers:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /tmp/new/provision.sh --no-start
}
provide ubuntu
check "provision.sh brings Ubuntu's engine and installs" succeeded
check "  which is docker.io" grep -qx 'apt-get .* install -y --no-install-recommends docker.io ca-certificates' "$tree/tmp/asked"
check "  the program is there" same new/ragagent /usr/bin/ragagent
run /tmp/new/provision.sh --no-start
check "  a second time it finds all done" says "Nothing to change:"
run /tmp/new/uninstall.sh --purge
provide '"amzn"'
check "provision.sh brings Amazon Linux's engine and installs" succeeded
check "  which is docker" grep -qx 'dnf install --assumeyes --quiet docker openssl-libs ca-certificates' "$tree/tmp/asked"
provide gentoo
check "provision.sh knows no other system" equal "$code" 1
check "  and says so" says "how gentoo installs Docker is not known here"
run /tmp/new/provision.sh --start
check "provision.sh refuses another option" equal "$code" 64

# A process of the tree would be seen by its root.
still_running() { find /proc/[0-9]*/root -maxdepth 0 -lname "$tree*" 2>/dev/null; }
check "nothing was started" equal "$(still_running)" ''

finish_checks
