#!/usr/bin/env bash
# Builds the stand-in app's image from nothing; no registry is asked. Prints the image's id.
#
#   tests/fake-app/build.sh --engine unix://SOCKET --tag REFERENCE [option…]
#
#   --version V       the text that the page shows (default 1)
#   --base full       Debian with Python and Tornado: page, WebSocket, everything (the default)
#   --base light      busybox only: health, page, key; no WebSocket; a second to build
#   --no-shell        with light: one static program, no /bin/sh, no failure modes
#   --ballast SIZE    one more layer of SIZE (60m) that does not compress: a pull takes visible time
#   --platform P      what the image claims to run on, for example linux/arm64
#   --behave N=VALUE  the image itself does this wrong, whatever its container is told; can be repeated
#   --line LINE       one more line of its Dockerfile: 'VOLUME /data'; can be repeated
#
# README.md beside this file lists what the app can be told to do wrong.
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
# BuildKit is a plug-in of the client that Debian does not have; every engine still brings the classic builder.
export DOCKER_BUILDKIT=0
context="$(mktemp -d)"
trap 'rm -rf "$context"' EXIT
mkdir -p "$cache"

# Many builds side by side share the cache: the first one makes, the others wait.
once() { # once FILE COMMAND…: the command writes to the path that it gets as its last argument
  local file="$1"
  shift
  (
    exec 9>"$file.lock"
    flock 9
    [[ -s $file ]] || { "$@" "$file.new" && mv "$file.new" "$file"; }
  )
}

# shellcheck disable=SC2317,SC2329 # called through `once`
make_ballast() { head -c "$(numfmt --from=iec "${1^^}")" /dev/urandom >"$2"; }

# The classic builder's own cache finds the layers again; the order keeps a new version down to a few KB.
dockerfile=()
mkdir -p "$context/app/data/agents/a2_promptshaper"
echo '{ "id": "a2_promptshaper", "version": "001", "prompt": "stand-in" }' >"$context/app/data/agents/a2_promptshaper/001.json"
echo "$version" >"$context/app/VERSION"

if [[ $base == full ]]; then
  "$apt_install" debootstrap
  # shellcheck source=/dev/null
  os="$(. /etc/os-release && echo "$ID-$VERSION_CODENAME")"
  tree="$cache/python-$os-1.tar"
  once "$tree" "$here/make-tree.sh"
  tree_image="ragagent-stand-in-tree:$os-1"
  docker image inspect "$tree_image" >/dev/null 2>&1 || docker import "$tree" "$tree_image" >/dev/null
  dockerfile+=("FROM $tree_image")
  cp "$here/app.py" "$context/app/"
  command='["python3", "-u", "/app/app.py"]'
else
  "$apt_install" busybox-static
  dockerfile+=("FROM scratch")
  mkdir -p "$context/root/etc"
  echo 'app:x:1000:1000::/app:/bin/sh' >"$context/root/etc/passwd"
  echo 'app:x:1000:' >"$context/root/etc/group"
  page="<!doctype html><title>RAGstream stand-in $version</title><h1>RAGstream stand-in</h1><p>Version <b id=\"version\">$version</b></p>"
  if [[ $shell == yes ]]; then
    mkdir -p "$context/root/bin"
    mkdir -m 1777 "$context/root/tmp"
    cp "$(command -v busybox)" "$context/root/bin/busybox"
    # Hard links, by one process: a build, a push and a pull of hundreds of files each would be most of what the tests do.
    "$context/root/bin/busybox" --install "$context/root/bin"
    echo "$page" >"$context/app/index.html"
    cp "$here/entrypoint.sh" "$context/app/"
    command='["/bin/sh", "/app/entrypoint.sh"]'
  else
    # busybox does what its own name says.
    cp "$(command -v busybox)" "$context/root/httpd"
    mkdir -p "$context/app/site/_stcore"
    echo "$page" >"$context/app/site/index.html"
    printf ok >"$context/app/site/_stcore/health"
    command='["/httpd", "-f", "-p", "8501", "-h", "/app/site"]'
  fi
  dockerfile+=("COPY root/ /")
fi
if [[ -n $ballast ]]; then
  once "$cache/ballast-$ballast" make_ballast "$ballast"
  cp --reflink=auto "$cache/ballast-$ballast" "$context/ballast"
  dockerfile+=("COPY ballast /opt/ballast")
fi
# PATH is there for the shell that hands the secret over, as in any image with a base.
dockerfile+=(
  "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
  "WORKDIR /app"
  "EXPOSE 8501"
  "USER 1000:1000"
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

# The classic builder can't say another platform than its own: the saved image's configuration is rewritten.
relabel() {
  local saved="$context/saved" config
  mkdir "$saved"
  docker save "$tag" | tar --extract --directory "$saved"
  config="$(sed -E 's/.*"Config":"([^"]+)".*/\1/' "$saved/manifest.json")"
  sed -E "s|\"architecture\":\"[^\"]+\"|\"architecture\":\"${platform#*/}\"|" "$saved/$config" >"$saved/config.json"
  sed -i -E 's|"Config":"[^"]+"|"Config":"config.json"|' "$saved/manifest.json"
  # The newer index beside it still names the old configuration by its digest.
  rm -f "$saved/index.json" "$saved/oci-layout"
  tar --create --directory "$saved" . | docker load --quiet >/dev/null
  docker image inspect --format '{{.Id}}' "$tag"
}
if [[ -n $platform ]]; then relabel; else cat "$context/id"; fi
