#!/usr/bin/env bash
# Usage: scripts/check-install.sh [TARBALL]
# Installs, upgrades and removes the package (by default the newest one in dist/) in a root file system of this machine's
# distribution, and checks the result. Starts nothing, and changes nothing outside that root.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
fail() { echo "check-install.sh: $*" >&2; exit 1; }

newest() { find "$root/dist" -name "$1" -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2-; } # newest PATTERN
tarball="${1:-$(newest 'ragagent-*-linux-x64.tar.gz')}"
[[ -n $tarball ]] || fail "there is no package in dist/. Build one: packaging/build.sh"
[[ -f $tarball ]] || fail "there is no file $tarball."
tarball="$(realpath -- "$tarball")"
((EUID == 0)) || fail "chroot needs root. Run the command as root."

# In a private mount namespace, so that no mount stays behind.
if [[ ${RAGAGENT_CHECK_INSTALL:-} != inside ]]; then
  RAGAGENT_CHECK_INSTALL=inside exec unshare --mount --propagation private "$0" "$tarball"
fi
"$root/scripts/apt-install.sh" debootstrap systemd util-linux

# --- A root file system that looks to install.sh like a machine with systemd and Docker.
# Not /tmp, which may be mounted nodev or noexec.
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
  # If two checks run in parallel, one creates the tree, and the other waits for it.
  flock 9
  [[ -s $cached ]] || {
    "$root/tests/fake-app/make-tree.sh" "$cached.new" systemd,procps,libssl3,ca-certificates
    mv "$cached.new" "$cached"
  }
) 9>"$cached.lock"
mkdir "$tree"
tar --extract --file "$cached" --directory "$tree" --numeric-owner
mount -t proc proc "$tree/proc"

create_program() { printf '#!/bin/sh\n%s\n' "${2:-exit 0}" >"$1" && chmod 755 "$1"; } # create_program PATH [SCRIPT]
create_program "$tree/usr/sbin/dockerd"
mkdir -p "$tree/lib/systemd/system"
printf '[Unit]\nDescription=Docker\n[Service]\nExecStart=/usr/sbin/dockerd\n' >"$tree/lib/systemd/system/docker.service"

default_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
inside() { chroot "$tree" env -i "PATH=$default_path" HOME=/root LC_ALL=C.UTF-8 "$@"; } # inside COMMAND…
inside groupadd --system docker

# The archive, and an older version derived from it, with another binary, unit and sample.
unpack() { mkdir -p "$1" && tar --extract --gzip --file "$tarball" --directory "$1" --strip-components=1 --no-same-owner; }
unpack "$tree/tmp/new"
unpack "$tree/tmp/old"
create_program "$tree/tmp/old/ragagent" 'echo ragagent 0.0.1'
sed -i 's/^Description=.*/Description=An older RagAgent/' "$tree/tmp/old/ragagent.service"
sed -i '1s/.*/\/\/ An older sample./' "$tree/tmp/old/ragagent.json"
version="$(basename "$tarball" -linux-x64.tar.gz)"
version="${version#ragagent-}"

# shellcheck source=scripts/checks.sh
source "$root/scripts/checks.sh"
run() { code=0; inside "$@" >"$work/run.log" 2>&1 || code=$?; } # run COMMAND…: its output is in run.log, its exit code in $code
succeeded() { ((code == 0)) || { echo "exit code $code"; cat "$work/run.log"; return 1; }; }
prints() { grep -qF -- "$1" "$work/run.log" || { echo "expected: $1"; echo "output:"; cat "$work/run.log"; return 1; }; } # prints TEXT
has_attributes() { equal "$(stat --format='%F %a %U:%G' "$tree$1" 2>&1)" "$2"; } # has_attributes PATH ATTRIBUTES
same() { cmp "$tree/tmp/$1" "$tree$2"; } # same FILE PATH
absent() { [[ ! -e $tree$1 && ! -L $tree$1 ]] || { ls -ld "$tree$1"; return 1; }; } # absent PATH
# All files with type, mode, owner, size and times, and with content where a package could write. /tmp belongs to this check.
snapshot() {
  (
    cd "$tree"
    find . -xdev \( -path ./tmp -o -path ./proc \) -prune -o -printf '%p %y %m %U:%G %s %T@ %C@ %l\n' | sort
    find etc usr/bin usr/share var/lib -xdev -type f -exec sha256sum {} + | sort -k 2
  )
}
paths() { (cd "$tree" && find . -xdev \( -path ./tmp -o -path ./proc \) -prune -o -print | sort); }
nothing_changed() { snapshot | diff "$work/before" -; }

# --- What install.sh refuses.
refuses() { # refuses WHAT MESSAGE COMMAND…
  snapshot >"$work/before"
  run "${@:3}"
  check "install.sh refuses $1" equal "$code" "${expected:-1}"
  check "  and says so" prints "$2"
  check "  and changes nothing" nothing_changed
}
refuses_without() { # refuses_without PATH WHAT MESSAGE: on a machine that lacks a file
  mv "$tree$1" "$tree$1.aside"
  refuses "$2" "$3" /tmp/new/install.sh --no-start
  mv "$tree$1.aside" "$tree$1"
}
refuses "a user who is not root" "installing needs root. Run: sudo ./install.sh" \
  setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/new/install.sh --no-start
mkdir "$tree/tmp/fake"
# shellcheck disable=SC2016 # a variable of the fake program
create_program "$tree/tmp/fake/uname" 'if [ "$1" = -m ]; then echo aarch64; else exec /bin/uname "$@"; fi'
refuses "another architecture" "this archive is for x86_64, and this machine is aarch64" \
  env PATH=/tmp/fake:/usr/sbin:/usr/bin /tmp/new/install.sh --no-start
refuses_without /usr/bin/systemctl "a machine without systemd" "systemd is not installed"
refuses_without /usr/sbin/dockerd "a machine without Docker" "the Docker Engine is not installed. Run: apt-get"
refuses_without /lib/systemd/system/docker.service "a Docker without a unit" "there is a dockerd, but no docker.service"
inside groupdel docker
refuses "a Docker without its group" "there is no group 'docker'" /tmp/new/install.sh --no-start
inside groupadd --system docker
refuses_without /etc/ssl/certs "a machine without certificates" "there are no CA certificates in /etc/ssl/certs"
mv "$tree/etc/ld.so.cache" "$tree/etc/ld.so.cache.aside"
inside ldconfig -p >/dev/null 2>&1 && fail "ldconfig finds libraries without ld.so.cache."
refuses "a machine without OpenSSL" "the OpenSSL library (libssl.so.3) is not installed" /tmp/new/install.sh --no-start
mv "$tree/etc/ld.so.cache.aside" "$tree/etc/ld.so.cache"
cp -r "$tree/tmp/new" "$tree/tmp/partial"
for file in ragagent ragagent.{service,socket,catalog,json,schema.json,8,bash} uninstall.sh LICENSE docs/configuration.md; do
  mv "$tree/tmp/partial/$file" "$work/"
  refuses "an archive without $file" "/tmp/partial/$file is missing. Unpack the whole archive again" /tmp/partial/install.sh --no-start
  mv "$work/${file##*/}" "$tree/tmp/partial/$file"
done
# A binary that needs a version of glibc that doesn't exist, so that the loader refuses it.
LC_ALL=C sed -i 's/GLIBC_2\.34/GLIBC_9.34/g' "$tree/tmp/partial/ragagent"
refuses "a glibc that is too old" "the binary needs glibc 9.34 or later, and this machine has glibc 2." /tmp/partial/install.sh --no-start
refuses "to start the service if systemd isn't running" "Use --no-start; the service starts at the next boot." /tmp/new/install.sh
expected=64 refuses "an unknown option" "unknown option --now. --help lists the options." /tmp/new/install.sh --now
snapshot >"$work/before"
run /tmp/new/install.sh --no-start --dry-run
check "a dry run succeeds" succeeded
check "  and says what it would do" prints "/usr/bin/ragagent: installed"
check "  and changes nothing" nothing_changed

# --- The first installation.
paths >"$work/paths"
folders=(doc_raw chroma_db splade_db memory logs)
run /tmp/new/install.sh --no-start
cp "$work/run.log" "$work/first.log"
check "install.sh succeeds" succeeded
check "the binary is installed" same new/ragagent /usr/bin/ragagent
check "  and every user may run it" has_attributes /usr/bin/ragagent "regular file 755 root:root"
check "  and 'ragagent --version' prints $version" equal "$(inside ragagent --version 2>&1)" "ragagent $version"
check "the service is installed" same new/ragagent.service /etc/systemd/system/ragagent.service
check "  with the right owner and mode" has_attributes /etc/systemd/system/ragagent.service "regular file 644 root:root"
check "  and enabled" equal "$(inside systemctl is-enabled ragagent.service 2>&1)" enabled
check "the socket is installed" same new/ragagent.socket /etc/systemd/system/ragagent.socket
check "  with the right owner and mode" has_attributes /etc/systemd/system/ragagent.socket "regular file 644 root:root"
check "  and enabled" equal "$(inside systemctl is-enabled ragagent.socket 2>&1)" enabled
check "the manual page is installed" same new/ragagent.8 /usr/share/man/man8/ragagent.8
check "the bash completion is installed" same new/ragagent.bash /usr/share/bash-completion/completions/ragagent
# shellcheck disable=SC2016 # variables of the inner shell
completions() { # completions WORD…: of a command line
  inside bash -c 'source /usr/share/bash-completion/completions/ragagent; COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
    _ragagent ragagent "${!#}"; printf "%s\n" "${COMPREPLY[@]}"' _ "$@"
}
check "  and knows the commands" equal "$(completions ragagent ro)" rollback
for page in "$tree"/tmp/new/docs/*.md; do
  check "${page##*/} is installed" same "new/docs/${page##*/}" "/usr/share/doc/ragagent/${page##*/}"
  check "  and every user may read it" has_attributes "/usr/share/doc/ragagent/${page##*/}" "regular file 644 root:root"
done
check "the license is installed" same new/LICENSE /usr/share/doc/ragagent/LICENSE
check "  and every user may read it" has_attributes /usr/share/doc/ragagent/LICENSE "regular file 644 root:root"
catalog=/usr/lib/systemd/catalog/ragagent.catalog
linked_pages() { # that other pages, the sample or the catalog name
  grep -ohE '\]\([^)#: ]+' "$tree"/usr/share/doc/ragagent/*.md | cut -c3-
  grep -ohE '/usr/share/doc/ragagent/[a-z.]+\.md' "$tree/usr/share/ragagent/ragagent.json" "$tree$catalog" | sed 's|.*/||'
}
all_links_work() {
  local page missing=0
  while IFS= read -r page; do
    [[ -e $tree/usr/share/doc/ragagent/$page ]] || { echo "there is no $page"; missing=1; }
  done < <(linked_pages | sort -u)
  return "$missing"
}
check "all links to pages work" all_links_work
check "the journal catalog is installed" same new/ragagent.catalog "$catalog"
catalog_is_complete() { equal "$(inside journalctl --list-catalog | grep -c RagAgent)" "$(grep -c '^-- ' "$tree$catalog")"; }
check "  and journalctl has all its entries" catalog_is_complete
units_are_valid() {
  # systemd-analyze exits with 0 for an unknown key, so any output about our units counts as a finding.
  local output
  output="$(inside systemd-analyze verify --man=no ragagent.service ragagent.socket 2>&1)" || { echo "$output"; return 1; }
  ! grep -F ragagent <<<"$output"
}
check "the units are valid (systemd-analyze verify)" units_are_valid
for file in ragagent.json ragagent.schema.json uninstall.sh; do
  check "/usr/share/ragagent/$file is installed" same "new/$file" "/usr/share/ragagent/$file"
done
for file in ragagent.json ragagent.schema.json; do
  check "  every user may read $file" has_attributes "/usr/share/ragagent/$file" "regular file 644 root:root"
done
check "  uninstall.sh is executable" has_attributes /usr/share/ragagent/uninstall.sh "regular file 755 root:root"
check "  their folder belongs to root" has_attributes /usr/share/ragagent "directory 755 root:root"
check "the configuration is the sample" same new/ragagent.json /etc/ragagent.json
check "  and the service may read it" has_attributes /etc/ragagent.json "regular file 644 root:root"
run ragagent config check
check "  and 'ragagent config check' accepts it" succeeded
entry="$(inside getent passwd ragagent || true)"
check "the user exists, without a login" equal "$(cut -d: -f1,6,7 <<<"$entry")" ragagent:/var/lib/ragagent:/usr/sbin/nologin
check "  with the ID of a system user" test "$(cut -d: -f3 <<<"$entry")" -lt 1000
check "  in the groups ragagent and docker" equal "$(inside id -nG ragagent 2>&1)" "ragagent docker"
for folder in "${folders[@]}"; do
  path="/var/lib/ragstream/$folder"
  check "$path belongs to the app" equal "$(stat --format='%F %a %u:%g' "$tree$path" 2>&1)" "directory 750 10001:10001"
  check "  and install.sh said so" grep -F "$path: created for the app (10001:10001)" "$work/first.log"
done
check "/var/lib/ragstream belongs to root" has_attributes /var/lib/ragstream "directory 755 root:root"
volumes="$(sed -n 's|.*"host": "/var/lib/ragstream/\([a-z_]*\)".*|\1|p' "$tree/etc/ragagent.json")"
check "  and has a folder for each volume of the sample" equal "$(ls "$tree/var/lib/ragstream" 2>&1)" "$(sort <<<"$volumes")"
check "no temporary file is left" equal "$(find "$tree"/{etc,usr} -xdev -name '*.new')" ''

# --- A second installation.
snapshot >"$work/before"
run /tmp/new/install.sh --no-start
check "a second run succeeds" succeeded
check "  and says that there is nothing to change" equal "$(cat "$work/run.log")" "Nothing to change: ragagent $version is installed."
check "  and changes nothing" nothing_changed
chmod 700 "$tree/usr/bin/ragagent"
run /tmp/new/install.sh --no-start
check "a wrong mode is corrected" has_attributes /usr/bin/ragagent "regular file 755 root:root"
rm -rf "$tree/var/lib/ragstream/logs"
run /tmp/new/install.sh --no-start
check "folders are only created together with the configuration" absent /var/lib/ragstream/logs

# --- Removal.
mkdir -m 700 "$tree/var/lib/ragagent"
echo state >"$tree/var/lib/ragagent/state"
echo document >"$tree/var/lib/ragstream/doc_raw/document"
snapshot >"$work/before"
run setpriv --reuid=65534 --regid=65534 --clear-groups /usr/share/ragagent/uninstall.sh
check "uninstall.sh refuses a user who is not root" prints "removing needs root"
check "  and removes nothing" nothing_changed
run /usr/share/ragagent/uninstall.sh
check "uninstall.sh succeeds" succeeded
for path in /usr/bin/ragagent /etc/systemd/system/ragagent.{service,socket} "$catalog" \
  /etc/systemd/system/multi-user.target.wants/ragagent.service /etc/systemd/system/sockets.target.wants/ragagent.socket \
  /usr/share/ragagent /usr/share/doc/ragagent /usr/share/man/man8/ragagent.8 /usr/share/bash-completion/completions/ragagent; do
  check "  $path is gone" absent "$path"
done
check "  the entries of the journal catalog are gone" equal "$(inside journalctl --list-catalog | grep -c RagAgent)" 0
check "  the configuration is kept" same new/ragagent.json /etc/ragagent.json
check "  the state is kept" test -s "$tree/var/lib/ragagent/state"
check "  the user is kept" inside getent passwd ragagent
run /tmp/new/uninstall.sh
check "  and it can be repeated" succeeded
run /tmp/new/install.sh --no-start
check "it can be installed again" equal "$code $(inside systemctl is-enabled ragagent.service)" "0 enabled"
run /usr/share/ragagent/uninstall.sh --purge
check "uninstall.sh --purge succeeds" succeeded
check "  the app's data is kept" test -s "$tree/var/lib/ragstream/doc_raw/document"
check "  the user is gone" equal "$(inside getent passwd ragagent)$(inside getent group ragagent)" ''
# useradd keeps backup files such as passwd-, and systemctl writes to /run/systemd.
leftovers='^\./etc/(passwd|shadow|group|gshadow|subuid|subgid)-$|^\./run/systemd/|^\./var/lib/ragstream(/|$)'
nothing_is_left() { # nothing_is_left PATTERN: except leftovers and paths that match PATTERN
  ! { paths | comm -13 "$work/paths" - | grep -vE "$leftovers|$1"; }
}
check "  nothing else is left" nothing_is_left '^\./usr/share/(man(/man8)?|doc)$'
run /tmp/new/uninstall.sh --purge
check "  and it can be repeated" succeeded

# --- An upgrade.
run /tmp/old/install.sh --no-start
check "an older version installs" succeeded
printf '{ "image": "my-own" }\n' >"$tree/etc/ragagent.json"
chmod 640 "$tree/etc/ragagent.json"
state_of_configuration() { stat --format='%a %U:%G %i %Y' "$tree/etc/ragagent.json" && cat "$tree/etc/ragagent.json"; }
before="$(state_of_configuration)"
run /tmp/new/install.sh --no-start
check "the newer version replaces it" succeeded
check "  and says so" prints "/usr/bin/ragagent: replaced"
check "  the binary is the new one" equal "$(inside ragagent --version)" "ragagent $version"
check "  the unit is the new one" same new/ragagent.service /etc/systemd/system/ragagent.service
check "  the sample is the new one" same new/ragagent.json /usr/share/ragagent/ragagent.json
check "  the unit is still enabled" equal "$(inside systemctl is-enabled ragagent.service)" enabled
check "  the configuration is unchanged" equal "$(state_of_configuration)" "$before"
rm "$tree/etc/ragagent.json"
ln -s /mnt/later/ragagent.json "$tree/etc/ragagent.json"
run /tmp/new/install.sh --no-start
check "a configuration that is a dangling link is kept" equal "$(readlink "$tree/etc/ragagent.json")" /mnt/later/ragagent.json

# --- The Debian package.
run /usr/share/ragagent/uninstall.sh --purge
inside userdel ragagent 2>/dev/null || true
rm -rf "$tree/var/lib/ragstream"
"$root/packaging/deb.sh" "$tarball" >"$work/deb.log" 2>&1 || { cat "$work/deb.log"; fail "deb.sh failed."; }
deb="$(newest 'ragagent_*_amd64.deb')"
sum="$(sha256sum <"$deb")"
"$root/packaging/deb.sh" "$tarball" >/dev/null
check "the same archive gives the same package" equal "$(sha256sum <"$deb")" "$sum"
dpkg_version() { "$root/packaging/deb.sh" --version "$1"; }
are_in_order() { # are_in_order EARLIER LATER
  local earlier later
  earlier="$(dpkg_version "$1")" later="$(dpkg_version "$2")"
  dpkg --validate-version "$later" || return
  dpkg --compare-versions "$earlier" lt "$later" || { echo "$earlier is not before $later"; return 1; }
}
check "a release candidate gets a tilde" equal "$(dpkg_version 1.3.0-rc1)" '1.3.0~rc1'
ordered=(1.2.9 1.3.0-rc1 1.3.0-rc1-2-gabcdef 1.3.0-rc2-dirty 1.3.0-rc10 1.3.0 1.3.0-4-gabcdef 1.3.0-10-gabcdef-dirty
  1.3.1-alpha.1 1.3.1)
for ((i = 1; i < ${#ordered[@]}; i++)); do
  check "  ${ordered[i]} comes after ${ordered[i - 1]}" are_in_order "${ordered[i - 1]}" "${ordered[i]}"
done
cp "$deb" "$tree/tmp/ragagent.deb"
paths >"$work/paths"
# A fake running systemd: it records commands in /tmp/commands and reads the service's state from /tmp/active. The real
# systemctl handles the unit files.
mkdir "$tree/tmp/booted"
# shellcheck disable=SC2016 # variables of the fake program
create_program "$tree/tmp/booted/systemctl" 'case " $* " in
  *" is-active "*) cat /tmp/active; grep -qx active /tmp/active ;;
  *" start "* | *" stop "* | *" restart "*) echo "$*" >>/tmp/commands; [ ! -e /tmp/fails ] ;;
  *" daemon-reload "*) ;;
  *) SYSTEMD_OFFLINE=1 exec /usr/bin/systemctl "$@" ;;
esac'
service_is() { echo "$1" >"$tree/tmp/active"; } # service_is STATE
service_is inactive
run_booted() { # run_booted COMMAND…: with the fake systemd
  : >"$tree/tmp/commands"
  mkdir -p "$tree/run/systemd/system"
  run env "PATH=/tmp/booted:$default_path" "$@"
  rmdir "$tree/run/systemd/system"
}
# --force-depends, because dpkg doesn't know the fake Docker.
run dpkg --install --force-depends /tmp/ragagent.deb
check "the package installs" succeeded
check "  'ragagent --version' prints $version" equal "$(inside ragagent --version 2>&1)" "ragagent $version"
for unit in ragagent.service ragagent.socket; do
  check "  $unit is installed" same "new/$unit" "/usr/lib/systemd/system/$unit"
  check "  and enabled" equal "$(inside systemctl is-enabled "$unit" 2>&1)" enabled
done
check "  the user exists" equal "$(inside id -nG ragagent 2>&1)" "ragagent docker"
check "  the configuration is the sample" same new/ragagent.json /etc/ragagent.json
check "  the license is installed" same new/LICENSE /usr/share/doc/ragagent/LICENSE
for page in "$tree"/tmp/new/docs/*.md; do
  check "  ${page##*/} is installed" same "new/docs/${page##*/}" "/usr/share/doc/ragagent/${page##*/}"
done
check "  journalctl has all entries of the catalog" catalog_is_complete
run /tmp/new/install.sh --no-start
check "install.sh doesn't overwrite it" prints "RagAgent is already installed as a package."
run_booted /usr/share/ragagent/uninstall.sh
check "uninstall.sh leaves it to dpkg" prints "RagAgent was installed as a package, so nothing was removed."
check "  and stops nothing" equal "$(cat "$tree/tmp/commands")" ''
check "  and removes nothing" test -x "$tree/usr/bin/ragagent"
printf '{ "image": "my-own" }\n' >"$tree/etc/ragagent.json"
run dpkg --install --force-depends /tmp/ragagent.deb
check "it can be installed again" succeeded
check "  and keeps the configuration" equal "$(cat "$tree/etc/ragagent.json")" '{ "image": "my-own" }'

# --- Upgrades of the package respect the administrator's settings and never leave it half configured.
units_state() { inside systemctl is-enabled ragagent.service ragagent.socket 2>/dev/null | uniq; }
systemd_was_told() { equal "$(cat "$tree/tmp/commands")" "$1"; } # systemd_was_told COMMANDS
# shellcheck disable=SC2016 # a variable of dpkg-query
is_configured() { succeeded && equal "$(inside dpkg-query --show --showformat='${db:Status-Status}' ragagent)" installed; }
upgrade() { run_booted dpkg --install --force-depends /tmp/ragagent.deb; }
cp "$tree/usr/share/ragagent/ragagent.json" "$tree/etc/ragagent.json"
service_is active
upgrade
check "an upgrade restarts a running service" systemd_was_told "restart ragagent.service"
service_is activating
upgrade
check "  or one that is starting" systemd_was_told "restart ragagent.service"
service_is inactive
upgrade
check "  a stopped service stays stopped" systemd_was_told ''
check "  and enabled" equal "$(units_state)" enabled
inside systemctl --quiet disable ragagent.service ragagent.socket
upgrade
check "a disabled service stays disabled" equal "$(units_state)" disabled
check "  and stopped" systemd_was_told ''
check "  and the output says so" prints "The service doesn't start automatically, because it is disabled."
service_is active
upgrade
check "a disabled service that runs is restarted" systemd_was_told "restart ragagent.service"
check "  and stays disabled" equal "$(units_state)" disabled
service_is inactive
run_booted dpkg --remove ragagent
upgrade
check "a disabled service stays disabled if the package is removed and installed again" equal "$(units_state)" disabled
check "  and stopped" systemd_was_told ''
inside systemctl --quiet enable ragagent.service
run_booted dpkg --remove ragagent
check "removing the package disables the units" equal "$(units_state)" ''
upgrade
check "  and installing it again enables units that were enabled" equal "$(units_state)" enabled
check "  and starts the service" systemd_was_told "start ragagent.service"
create_program "$tree/usr/sbin/policy-rc.d" 'exit 101'
service_is active
upgrade
check "policy-rc.d can forbid the restart" systemd_was_told ''
rm "$tree/usr/sbin/policy-rc.d"
touch "$tree/tmp/fails"
upgrade
check "a failed restart leaves the package configured" is_configured
check "  and the output says so" prints "the service did not restart. See: journalctl -u ragagent -n 30"
echo '{ "image": }' >"$tree/etc/ragagent.json"
upgrade
check "an invalid configuration leaves the package configured" is_configured
check "  and the output says so" prints "the configuration is not valid"
check "  and the running agent is left alone" systemd_was_told ''
rm "$tree/tmp/fails"
printf '{ "image": "my-own" }\n' >"$tree/etc/ragagent.json"
cp "$tree/usr/lib/systemd/system/ragagent.service" "$tree/etc/systemd/system/"
upgrade
check "the administrator's own unit is kept" test -f "$tree/etc/systemd/system/ragagent.service"
rm -f "$tree/etc/systemd/system/ragagent.service"
inside systemctl --quiet mask ragagent.service
upgrade
check "a masked service leaves the package configured" is_configured
check "  and stays masked" equal "$(inside systemctl is-enabled ragagent.service 2>&1)" masked
check "  and is not restarted" systemd_was_told ''
service_is inactive
run_booted dpkg --remove ragagent
check "  the package can be removed" succeeded
upgrade
check "  and installed again" is_configured
check "  and is still masked" equal "$(inside systemctl is-enabled ragagent.service 2>&1)" masked
inside systemctl --quiet unmask ragagent.service
inside systemctl --quiet enable ragagent.service
run dpkg --remove ragagent
check "it can be removed" succeeded
check "  the program is gone" absent /usr/bin/ragagent
check "  the unit is not enabled" absent /etc/systemd/system/multi-user.target.wants/ragagent.service
check "  the configuration is kept" test -s "$tree/etc/ragagent.json"
run /tmp/new/install.sh --no-start
run dpkg --install --force-depends /tmp/ragagent.deb
check "the package replaces an installation from the archive" succeeded
for path in /etc/systemd/system/ragagent.{service,socket} /usr/share/man/man8/ragagent.8; do
  check "  the archive's $path is gone" absent "$path"
done
check "  the package's manual page is installed" test -s "$tree/usr/share/man/man8/ragagent.8.gz"
check "  the service is enabled" equal "$(inside systemctl is-enabled ragagent.service 2>&1)" enabled
run dpkg --remove ragagent
check "  and disabled when the package is removed" absent /etc/systemd/system/multi-user.target.wants/ragagent.service
run /tmp/new/install.sh --no-start
check "the archive can be installed after the package was removed" succeeded
mkdir -p "$tree/var/lib/ragagent"
echo state >"$tree/var/lib/ragagent/state"
run dpkg --purge ragagent
check "  the package can be purged then" succeeded
check "  which keeps the archive's program" same new/ragagent /usr/bin/ragagent
check "  its configuration" equal "$(cat "$tree/etc/ragagent.json" 2>&1)" '{ "image": "my-own" }'
check "  its state" test -s "$tree/var/lib/ragagent/state"
check "  and its user" equal "$(inside id -nG ragagent 2>&1)" "ragagent docker"
run /usr/share/ragagent/uninstall.sh
run dpkg --install --force-depends /tmp/ragagent.deb
check "the package can be installed after the archive was removed" succeeded
create_program "$tree/tmp/fake/userdel" 'echo "userdel: user ragagent is currently used by process 1" >&2; exit 8'
run env "PATH=/tmp/fake:$default_path" dpkg --purge ragagent
check "a user that is in use doesn't prevent a purge" succeeded
check "  and the output says so" prints "the user ragagent was not removed"
check "  the rest is gone" absent /etc/ragagent.json
rm "$tree/tmp/fake/userdel"
inside systemctl --quiet mask ragagent.service
upgrade
check "a service masked before the first installation leaves the package configured" is_configured
check "  and is not started" systemd_was_told ''
inside systemctl --quiet unmask ragagent.service
run dpkg --purge ragagent
upgrade
check "the first installation enables the service" equal "$(units_state)" enabled
check "  and starts it" systemd_was_told "start ragagent.service"
run dpkg --purge ragagent
check "it can be purged" succeeded
check "  the user is gone" equal "$(inside getent passwd ragagent)" ''
check "  nothing else is left" nothing_is_left '^\./var/lib/dpkg(/|$)|^\./var/log/'

# --- provision.sh, with fake package managers that record their arguments and install dockerd.
mkdir "$tree/tmp/managers"
for manager in apt-get dnf; do
  # shellcheck disable=SC2016 # variables of the fake program
  create_program "$tree/tmp/managers/$manager" 'echo "${0##*/} $*" >>/tmp/calls
case "$*" in *install*) cp /tmp/dockerd /usr/sbin/dockerd ;; esac'
done
cp "$tree/usr/sbin/dockerd" "$tree/tmp/dockerd"
provision() { # provision ID: on such a system, without Docker
  rm -f "$tree/usr/sbin/dockerd" "$tree/tmp/calls"
  sed -i "s/^ID=.*/ID=$1/" "$tree/etc/os-release"
  run env "PATH=/tmp/managers:$default_path" /tmp/new/provision.sh --no-start
}
provision ubuntu
check "provision.sh succeeds on Ubuntu" succeeded
check "  and installs docker.io" grep -qx 'apt-get .* install -y --no-install-recommends docker.io ca-certificates' "$tree/tmp/calls"
check "  and the program" same new/ragagent /usr/bin/ragagent
run /tmp/new/provision.sh --no-start
check "  a second run changes nothing" prints "Nothing to change:"
run /tmp/new/uninstall.sh --purge
provision '"amzn"'
check "provision.sh succeeds on Amazon Linux" succeeded
check "  and installs docker" grep -qx 'dnf install --assumeyes --quiet docker openssl-libs ca-certificates' "$tree/tmp/calls"
provision gentoo
check "provision.sh fails on another system" equal "$code" 1
check "  and says so" prints "installing Docker on gentoo is not supported"
run /tmp/new/provision.sh --start
check "provision.sh refuses an unknown option" equal "$code" 64

# A process that was started in the tree has its root there.
running_processes() { find /proc/[0-9]*/root -maxdepth 0 -lname "$tree*" 2>/dev/null; }
check "nothing was started" equal "$(running_processes)" ''

finish_checks
