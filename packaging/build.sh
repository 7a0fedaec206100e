#!/usr/bin/env bash
# Usage: packaging/build.sh
# Builds dist/ragagent-VERSION-linux-x64.tar.gz and its .sha256, and a .deb on Debian and Ubuntu. The same commit gives the
# same archive. VERSION comes from `git describe` (newest v* tag), or from Directory.Build.props if there is no tag.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
fail() { echo "build.sh: $*" >&2; exit 1; }

max_size=30000000
max_glibc=2.34   # of Amazon Linux 2023, the oldest one on a supported system

[[ "$(uname -sm)" == "Linux x86_64" ]] || fail "the package is for Linux on x86_64. This machine is $(uname -sm)."
sdk="$(sed -n 's/.*"version": "\([^"]*\)".*/\1/p' global.json)"
command -v dotnet >/dev/null || fail "the .NET SDK is not installed. Install $sdk or a later release of .NET ${sdk%%.*}."
programs=(packaging/{install.sh,uninstall.sh,ami/provision.sh,ami/clean.sh})
files=(LICENSE packaging/ragagent.{service,socket,json,schema.json,8,bash})
for file in "${programs[@]}" "${files[@]}" docs/{configuration,operations,messages}.md; do
  [[ -f $file ]] || fail "$file is missing. The package needs it."
done

# clang or gcc links the binary. gcc is the smaller one to install.
if command -v clang >/dev/null || command -v gcc >/dev/null; then
  scripts/apt-install.sh zlib1g-dev binutils
else
  scripts/apt-install.sh gcc libc6-dev zlib1g-dev binutils
fi

version="$(git describe --tags --match 'v*' --dirty 2>/dev/null | sed 's/^v//')" || true
[[ -n $version ]] || version="$(sed -n 's|.*<Version[^>]*>\([^<]*\)</Version>.*|\1|p' Directory.Build.props)"
[[ -n $version ]] || fail "there is no version: no v* tag, and none in Directory.Build.props."
epoch="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
name="ragagent-$version-linux-x64"

echo "Compiling ragagent $version to native code (a minute or two)"
dotnet publish src/RagAgent --configuration Release --output "$work/publish" --nologo \
  -p:Version="$version" -p:RestoreLockedMode=true -p:ContinuousIntegrationBuild=true >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  fail "the compilation failed. See its output above."
}
if grep -E '(^|: )warning( |:)' "$work/log" >&2; then
  fail "the compilation gave the warnings above. A package must not have any."
fi

binary="$work/publish/ragagent"
size="$(stat --format=%s "$binary")"
((size <= max_size)) || fail "the binary has $size bytes. At most $max_size are allowed. Look for new dependencies."
glibc="$(objdump --dynamic-syms "$binary" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)"
glibc="${glibc#GLIBC_}"
[[ "$(printf '%s\n' "$glibc" "$max_glibc" | sort -V | tail -n 1)" == "$max_glibc" ]] ||
  fail "the binary needs glibc $glibc, but Amazon Linux 2023 only has $max_glibc. Build it on Debian 12."
"$binary" --version >/dev/null || fail "the binary doesn't run on this machine."

mkdir -p "$work/$name" dist
install -m 755 "$binary" "${programs[@]}" "$work/$name/"
install -m 644 "${files[@]}" "$work/$name/"
packaging/catalog.sh >"$work/$name/ragagent.catalog"
chmod 644 "$work/$name/ragagent.catalog"
# The pages that operators need. The index links to pages that only the repository has.
install -d "$work/$name/docs"
for page in docs/*.md; do
  [[ $page == docs/benchmarks.md || $page == docs/README.md ]] || install -m 644 "$page" "$work/$name/docs/"
done
# No owner, time or order from this machine, so that the same input gives the same bytes.
tar --create --directory "$work" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$epoch" "$name" |
  gzip --no-name --best >"dist/$name.tar.gz"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "dist/$name.tar.gz: $(stat --format=%s "dist/$name.tar.gz") bytes, binary $size bytes, needs glibc $glibc or later"
if command -v dpkg-deb >/dev/null; then packaging/deb.sh "dist/$name.tar.gz"; fi
