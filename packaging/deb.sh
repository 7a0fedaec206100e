#!/usr/bin/env bash
# Usage: packaging/deb.sh [ARCHIVE]
# Builds dist/ragagent_VERSION_amd64.deb for Debian 12 and Ubuntu 24.04 from an archive of build.sh, by default the newest
# one in dist/. dpkg installs the files, and install.sh does the rest. The same archive gives the same package.
#        packaging/deb.sh --version VERSION   prints VERSION in dpkg's notation
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() { echo "deb.sh: $*" >&2; exit 1; }

# For dpkg, what follows a hyphen is not part of the version. 1.3.0-4-gabcdef, four commits after 1.3.0, gets plus signs, which sort
# after 1.3.0. 1.3.0-rc1 gets a tilde, the only character that sorts before it.
dpkg_version() { sed -E '/^[^-]*(-[0-9]+-g[0-9a-f]+)?(-dirty)?$/! s/-/~/; s/-/+/g' <<<"$1"; }
if [[ ${1:-} == --version ]]; then
  dpkg_version "${2:?VERSION is missing}"
  exit
fi

archive="${1:-$(find dist -name 'ragagent-*-linux-x64.tar.gz' -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2-)}"
[[ -n $archive && -f $archive ]] || fail "there is no archive ${archive:-in dist/}. Build one: packaging/build.sh"
command -v dpkg-deb >/dev/null || fail "dpkg-deb is not installed. Use Debian or Ubuntu."
version="$(basename "$archive" -linux-x64.tar.gz)"
version="$(dpkg_version "${version#ragagent-}")"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
tree="$work/tree"
mkdir -p "$work/archive" "$tree/DEBIAN"
chmod 755 "$tree"
tar --extract --gzip --strip-components=1 --no-same-owner --directory "$work/archive" --file "$archive"
# All files get the time of the files in the archive, so that the package depends on nothing else.
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH="$(stat --format=%Y "$work/archive/ragagent")"

install_file() { install -D -m "$3" "$work/archive/$1" "$tree$2"; } # install_file FILE TARGET MODE
install_file ragagent /usr/bin/ragagent 755
install_file ragagent.service /usr/lib/systemd/system/ragagent.service 644
install_file ragagent.socket /usr/lib/systemd/system/ragagent.socket 644
install_file ragagent.catalog /usr/lib/systemd/catalog/ragagent.catalog 644
install_file ragagent.json /usr/share/ragagent/ragagent.json 644
install_file ragagent.schema.json /usr/share/ragagent/ragagent.schema.json 644
install_file install.sh /usr/share/ragagent/install.sh 755
install_file uninstall.sh /usr/share/ragagent/uninstall.sh 755
install_file ragagent.8 /usr/share/man/man8/ragagent.8 644
install_file ragagent.bash /usr/share/bash-completion/completions/ragagent 644
install_file LICENSE /usr/share/doc/ragagent/LICENSE 644
for page in "$work"/archive/docs/*.md; do install_file "docs/${page##*/}" "/usr/share/doc/ragagent/${page##*/}" 644; done
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
 At boot it gets the credentials of the instance role, reads secrets from SSM
 Parameter Store, pulls the newest image from ECR and runs it. Then it probes
 the container, restarts it, updates it, and serves it on one URL.
CONTROL
write_script() { cat >"$tree/DEBIAN/$1" && chmod 755 "$tree/DEBIAN/$1"; }
write_script postinst <<'POSTINST'
#!/bin/sh
set -e
if [ "$1" = configure ]; then /usr/share/ragagent/install.sh --packaged ${2:+--upgrade}; fi
POSTINST
write_script prerm <<'PRERM'
#!/bin/sh
set -e
if [ "$1" = remove ]; then /usr/share/ragagent/uninstall.sh --packaged; fi
PRERM
write_script postrm <<'POSTRM'
#!/bin/sh
set -e
if [ "$1" = remove ] || [ "$1" = purge ]; then
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
  if command -v journalctl >/dev/null; then journalctl --update-catalog; fi
fi
if [ "$1" = purge ]; then rm -f /var/lib/ragagent.removed; fi
# The program of the package is gone by now. If there is one, RagAgent was installed from the archive, which owns all of this.
if [ "$1" = purge ] && [ ! -e /usr/bin/ragagent ]; then
  rm -rf /etc/ragagent.json /var/lib/ragagent
  # userdel fails while a process of the user runs. That must not leave the package half removed.
  if getent passwd ragagent >/dev/null; then
    userdel ragagent || echo "ragagent: the user ragagent was not removed. See the output of userdel above." >&2
  fi
fi
POSTRM
find "$tree" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$tree" "dist/ragagent_${version}_amd64.deb" >/dev/null
(cd dist && sha256sum "ragagent_${version}_amd64.deb" >"ragagent_${version}_amd64.deb.sha256")
echo "dist/ragagent_${version}_amd64.deb: $(stat --format=%s "dist/ragagent_${version}_amd64.deb") bytes"
