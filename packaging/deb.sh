#!/usr/bin/env bash
# Usage: packaging/deb.sh [ARCHIVE]
# Makes dist/ragagent_VERSION_amd64.deb of an archive of build.sh's, the newest in dist/ when none is named: the same files, put in place by
# dpkg, and the rest done by the same install.sh. The same archive gives the same package. For Debian 12 and Ubuntu 24.04.
#        packaging/deb.sh --version VERSION   says what VERSION is for dpkg
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() { echo "deb.sh: $*" >&2; exit 1; }

# A hyphen would end the version for dpkg. 1.3.0-4-gabcdef is four commits after 1.3.0, and a plus sorts after it; 1.3.0-rc1 comes before it, as
# only a tilde does.
for_dpkg() { sed -E '/^[^-]*(-[0-9]+-g[0-9a-f]+)?(-dirty)?$/! s/-/~/; s/-/+/g' <<<"$1"; }
if [[ ${1:-} == --version ]]; then
  for_dpkg "${2:?which version?}"
  exit
fi

archive="${1:-$(find dist -name 'ragagent-*-linux-x64.tar.gz' -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2-)}"
[[ -n $archive && -f $archive ]] || fail "there is no archive ${archive:-in dist/}. Make one: packaging/build.sh"
command -v dpkg-deb >/dev/null || fail "dpkg-deb is not installed, and it is what makes the package. Use Debian or Ubuntu."
version="$(basename "$archive" -linux-x64.tar.gz)"
version="$(for_dpkg "${version#ragagent-}")"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
tree="$work/tree"
mkdir -p "$work/archive" "$tree/DEBIAN"
chmod 755 "$tree"
tar --extract --gzip --strip-components=1 --no-same-owner --directory "$work/archive" --file "$archive"
# Every file gets the time of the archive's, so that the package depends on nothing else.
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH="$(stat --format=%Y "$work/archive/ragagent")"

put() { install -D -m "$3" "$work/archive/$1" "$tree$2"; } # put FILE TARGET MODE
put ragagent /usr/bin/ragagent 755
put ragagent.service /usr/lib/systemd/system/ragagent.service 644
put ragagent.socket /usr/lib/systemd/system/ragagent.socket 644
put ragagent.catalog /usr/lib/systemd/catalog/ragagent.catalog 644
put ragagent.json /usr/share/ragagent/ragagent.json 644
put ragagent.schema.json /usr/share/ragagent/ragagent.schema.json 644
put install.sh /usr/share/ragagent/install.sh 755
put uninstall.sh /usr/share/ragagent/uninstall.sh 755
put ragagent.8 /usr/share/man/man8/ragagent.8 644
put ragagent.bash /usr/share/bash-completion/completions/ragagent 644
put LICENSE /usr/share/doc/ragagent/LICENSE 644
for page in "$work"/archive/docs/*.md; do put "docs/${page##*/}" "/usr/share/doc/ragagent/${page##*/}" 644; done
gzip --no-name --best "$tree/usr/share/man/man8/ragagent.8"

cat >"$tree/DEBIAN/control" <<CONTROL
Package: ragagent
Version: $version
Architecture: amd64
Maintainer: RagAgent
Section: admin
Priority: optional
Depends: libc6 (>= 2.34), libssl3 | libssl3t64, ca-certificates, systemd, passwd, docker.io | docker-ce
Installed-Size: $(du --apparent-size --block-size=1024 --summarize "$tree/usr" | cut -f 1)
Description: keeps the newest image of one container serving on this machine
 At boot it takes the instance role's credentials, reads secrets from SSM
 Parameter Store, authenticates to ECR, pulls what the tag means now and runs
 it; then it answers for the container: one URL, probes, restarts, updates.
CONTROL
script() { cat >"$tree/DEBIAN/$1" && chmod 755 "$tree/DEBIAN/$1"; }
script postinst <<'POSTINST'
#!/bin/sh
set -e
if [ "$1" = configure ]; then /usr/share/ragagent/install.sh --packaged ${2:+--upgrade}; fi
POSTINST
script prerm <<'PRERM'
#!/bin/sh
set -e
if [ "$1" = remove ]; then /usr/share/ragagent/uninstall.sh --packaged; fi
PRERM
script postrm <<'POSTRM'
#!/bin/sh
set -e
if [ "$1" = remove ] || [ "$1" = purge ]; then
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
  if command -v journalctl >/dev/null; then journalctl --update-catalog; fi
fi
if [ "$1" = purge ]; then rm -f /var/lib/ragagent.removed; fi
# The package's own program is gone by now: one that is there is that of an installation from the archive, which all of this belongs to.
if [ "$1" = purge ] && [ ! -e /usr/bin/ragagent ]; then
  rm -rf /etc/ragagent.json /var/lib/ragagent
  # A process of its own would keep it: no reason to leave the package half removed.
  if getent passwd ragagent >/dev/null; then userdel ragagent || echo "ragagent: the user ragagent is left, userdel says why above" >&2; fi
fi
POSTRM
find "$tree" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$tree" "dist/ragagent_${version}_amd64.deb" >/dev/null
(cd dist && sha256sum "ragagent_${version}_amd64.deb" >"ragagent_${version}_amd64.deb.sha256")
echo "dist/ragagent_${version}_amd64.deb: $(stat --format=%s "dist/ragagent_${version}_amd64.deb") bytes"
