#!/usr/bin/env bash
# Usage: packaging/build.sh
# Makes dist/ragagent-VERSION-linux-x64.tar.gz and its .sha256, and on Debian and Ubuntu a .deb of it. The same commit gives the same archive.
# VERSION is the newest v* tag with the distance to it, else the one in Directory.Build.props.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
fail() { echo "build.sh: $*" >&2; exit 1; }

largest_binary=30000000
# Amazon Linux 2023 has this one, and no other system that install.sh serves has an older one.
newest_glibc=2.34

[[ "$(uname -sm)" == "Linux x86_64" ]] || fail "the package is for Linux on x86_64; this machine is $(uname -sm)."
command -v dotnet >/dev/null || fail "the .NET SDK is not installed. Version: $(sed -n 's/.*"version": "\([^"]*\)".*/\1/p' global.json) or later of the same major one."
for file in LICENSE packaging/{ragagent.service,ragagent.socket,ragagent.json,ragagent.schema.json,ragagent.8,ragagent.bash,install.sh,uninstall.sh,ami/provision.sh,ami/clean.sh} docs/{configuration,operations,messages}.md; do
  [[ -f $file ]] || fail "$file is missing; the package ships it."
done

# Whichever of the two linkers is there is used; gcc is the smaller one to install.
if command -v clang >/dev/null || command -v gcc >/dev/null; then
  scripts/apt-install.sh zlib1g-dev binutils
else
  scripts/apt-install.sh gcc libc6-dev zlib1g-dev binutils
fi

version="$(git describe --tags --match 'v*' --dirty 2>/dev/null | sed 's/^v//')" || true
[[ -n $version ]] || version="$(sed -n 's|.*<Version[^>]*>\([^<]*\)</Version>.*|\1|p' Directory.Build.props)"
[[ -n $version ]] || fail "no version: there is no v* tag, and Directory.Build.props names none."
epoch="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
name="ragagent-$version-linux-x64"

echo "Compiling ragagent $version to native code (a minute or two)"
dotnet publish src/RagAgent --configuration Release --output "$work/publish" --nologo \
  -p:Version="$version" -p:RestoreLockedMode=true -p:ContinuousIntegrationBuild=true >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  fail "the compilation failed. Its output is above."
}
if grep -E '(^|: )warning( |:)' "$work/log" >&2; then
  fail "the compilation gave the warnings above. A package is built without any."
fi

binary="$work/publish/ragagent"
size="$(stat --format=%s "$binary")"
((size <= largest_binary)) || fail "the binary has $size bytes; $largest_binary are allowed. 'git log -p' on the project files shows what came in."
glibc="$(objdump --dynamic-syms "$binary" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)"
glibc="${glibc#GLIBC_}"
[[ "$(printf '%s\n' "$glibc" "$newest_glibc" | sort -V | tail -n 1)" == "$newest_glibc" ]] ||
  fail "the binary needs glibc $glibc and would not start on Amazon Linux 2023, which has $newest_glibc. Build it on Debian 12."
"$binary" --version >/dev/null || fail "the binary does not run on this machine."

mkdir -p "$work/$name" dist
install -m 755 "$binary" packaging/install.sh packaging/uninstall.sh packaging/ami/provision.sh packaging/ami/clean.sh "$work/$name/"
install -m 644 LICENSE packaging/ragagent.service packaging/ragagent.socket packaging/ragagent.json packaging/ragagent.schema.json \
  packaging/ragagent.8 packaging/ragagent.bash "$work/$name/"
packaging/catalog.sh >"$work/$name/ragagent.catalog"
chmod 644 "$work/$name/ragagent.catalog"
# What operators need. The index links to pages that only the repository has.
install -d "$work/$name/docs"
for page in docs/*.md; do
  [[ $page == docs/benchmarks.md || $page == docs/README.md ]] || install -m 644 "$page" "$work/$name/docs/"
done
# Same bytes from the same input: no owner, no time and no order of this machine in it.
tar --create --directory "$work" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$epoch" "$name" |
  gzip --no-name --best >"dist/$name.tar.gz"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "dist/$name.tar.gz: $(stat --format=%s "dist/$name.tar.gz") bytes, binary $size bytes, runs with glibc $glibc and later"
if command -v dpkg-deb >/dev/null; then packaging/deb.sh "dist/$name.tar.gz"; fi
