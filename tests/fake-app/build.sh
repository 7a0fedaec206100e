#!/usr/bin/env bash
# Builds the fake app's image from scratch, without a registry, and prints the image's ID.
#
#   tests/fake-app/build.sh --engine unix://SOCKET --tag REFERENCE [option…]
#
#   --version V       the version that the page shows (default 1)
#   --base full       Debian with Python and Tornado: page, WebSocket, uploads (the default)
#   --base light      only busybox: health, page, key, no WebSocket; builds in a second
#   --no-shell        with light: a single static program, without /bin/sh and without failure modes
#   --ballast SIZE    an extra, incompressible layer of SIZE (60m), so that a pull takes a while
#   --platform P      the platform that the image claims, such as linux/arm64
#   --behave N=VALUE  a failure that is part of the image (FAKE_APP_…); can be repeated
#   --line LINE       an extra Dockerfile line, such as 'VOLUME /data'; can be repeated
#
# README.md lists the failures.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
apt_install="$here/../../scripts/apt-install.sh"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/ragagent"
engine='' tag='' version=1 base=full shell=yes ballast='' platform='' lines=()

usage() { sed -n '2,16s/^# \{0,1\}//p' "$0" >&2; exit 64; }
while (($#)); do
  case "$1" in
    --no-shell) shell=no; shift; continue ;;
    --behave) (($# >= 2)) || usage; lines+=("ENV $2"); shift 2; continue ;;
    --line) (($# >= 2)) || usage; lines+=("$2"); shift 2; continue ;;
    --engine | --tag | --version | --base | --ballast | --platform) (($# >= 2)) || usage ;;
    *) usage ;;
  esac
  declare "${1#--}=$2"
  shift 2
done
[[ -n $engine && -n $tag && $base =~ ^(full|light)$ ]] || usage
[[ $shell == yes || $base == light ]] || usage

export DOCKER_HOST="$engine"
# Debian's client lacks the BuildKit plug-in. Every engine still has the classic builder.
export DOCKER_BUILDKIT=0
context="$(mktemp -d)"
trap 'rm -rf "$context"' EXIT
mkdir -p "$cache"

# Parallel builds share the cache: the first one creates a file, the others wait for it.
create_once() { # create_once FILE COMMAND… PATH: runs COMMAND, which writes to the path appended to it
  local file="$1"
  shift
  (
    exec 9>"$file.lock"
    flock 9
    [[ -s $file ]] || { "$@" "$file.new" && mv "$file.new" "$file"; }
  )
}

# shellcheck disable=SC2317,SC2329 # called through create_once
make_ballast() { head -c "$(numfmt --from=iec "${1^^}")" /dev/urandom >"$2"; }

# The order keeps a new version down to a few KB: the builder reuses all layers before the first change.
dockerfile=()
mkdir -p "$context/app/data/agents/a2_promptshaper"
echo '{ "id": "a2_promptshaper", "version": "001", "prompt": "fake" }' \
  >"$context/app/data/agents/a2_promptshaper/001.json"
echo "$version" >"$context/app/VERSION"

if [[ $base == full ]]; then
  "$apt_install" debootstrap
  # shellcheck source=/dev/null
  os="$(. /etc/os-release && echo "$ID-$VERSION_CODENAME")"
  tree="$cache/python-$os-1.tar"
  create_once "$tree" "$here/make-tree.sh"
  tree_image="ragagent-fake-app-tree:$os-1"
  docker image inspect "$tree_image" >/dev/null 2>&1 || docker import "$tree" "$tree_image" >/dev/null
  dockerfile+=("FROM $tree_image")
  cp "$here/app.py" "$context/app/"
  command='["python3", "-u", "/app/app.py"]'
else
  "$apt_install" busybox-static
  dockerfile+=("FROM scratch")
  mkdir -p "$context/root/etc"
  echo 'app:x:10001:10001::/app:/bin/sh' >"$context/root/etc/passwd"
  echo 'app:x:10001:' >"$context/root/etc/group"
  page="<!doctype html><title>RAGstream fake app $version</title>"
  page+="<h1>RAGstream fake app</h1><p>Version <b id=\"version\">$version</b></p>"
  if [[ $shell == yes ]]; then
    mkdir -p "$context/root/bin"
    mkdir -m 1777 "$context/root/tmp"
    cp "$(command -v busybox)" "$context/root/bin/busybox"
    # Hard links: with hundreds of copies, builds and pulls would take most of the tests' time.
    "$context/root/bin/busybox" --install "$context/root/bin"
    echo "$page" >"$context/app/index.html"
    cp "$here/entrypoint.sh" "$context/app/"
    command='["/bin/sh", "/app/entrypoint.sh"]'
  else
    # busybox runs the applet that its own file name names.
    cp "$(command -v busybox)" "$context/root/httpd"
    mkdir -p "$context/app/site/_stcore"
    echo "$page" >"$context/app/site/index.html"
    printf ok >"$context/app/site/_stcore/health"
    command='["/httpd", "-f", "-p", "8501", "-h", "/app/site"]'
  fi
  dockerfile+=("COPY root/ /")
fi
if [[ -n $ballast ]]; then
  create_once "$cache/ballast-$ballast" make_ballast "$ballast"
  cp --reflink=auto "$cache/ballast-$ballast" "$context/ballast"
  dockerfile+=("COPY ballast /opt/ballast")
fi
# The shell that passes the secret on needs PATH, which any base image would set.
dockerfile+=(
  "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
  "WORKDIR /app"
  "EXPOSE 8501"
  "USER 10001:10001"
  "CMD $command"
  "COPY app/ /app/"
  "${lines[@]}"
)
printf '%s\n' "${dockerfile[@]}" >"$context/Dockerfile"

docker build --quiet --tag "$tag" "$context" >"$context/id" 2>"$context.log" || {
  cat "$context.log" >&2
  rm -f "$context.log"
  echo "build.sh: the engine at $engine could not build $tag." >&2
  exit 1
}
rm -f "$context.log"

# The classic builder only builds for its own platform, so this rewrites the saved image's configuration.
set_platform() {
  local saved="$context/saved" config
  mkdir "$saved"
  docker save "$tag" | tar --extract --directory "$saved"
  config="$(sed -E 's/.*"Config":"([^"]+)".*/\1/' "$saved/manifest.json")"
  sed -E "s|\"architecture\":\"[^\"]+\"|\"architecture\":\"${platform#*/}\"|" "$saved/$config" >"$saved/config.json"
  sed -i -E 's|"Config":"[^"]+"|"Config":"config.json"|' "$saved/manifest.json"
  # The OCI index next to it still refers to the old configuration.
  rm -f "$saved/index.json" "$saved/oci-layout"
  tar --create --directory "$saved" . | docker load --quiet >/dev/null
  docker image inspect --format '{{.Id}}' "$tag"
}
if [[ -n $platform ]]; then set_platform; else cat "$context/id"; fi
