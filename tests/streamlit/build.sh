#!/usr/bin/env bash
# Builds an app's image from Dockerfile.streamlit, with real Streamlit and the real pip, and prints the image's ID.
#
#   tests/streamlit/build.sh --engine unix://SOCKET --tag REFERENCE --version VERSION --app APP
#
#   --version VERSION   one that has a requirements-VERSION.txt
#   --app APP           an app in apps/, such as good/plain, or a file
#
# Another app with the same version takes a second: the engine has all layers except the code.
# Exit code 75: there are no packages (see install.sh).
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/streamlit/packages.sh
source "$here/packages.sh"
# shellcheck source=tests/streamlit/base.sh
source "$here/base.sh"
engine='' tag='' version='' app=''

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 64; }
while (($#)); do
  case "$1" in
    --engine | --tag | --version | --app) (($# >= 2)) || usage ;;
    *) usage ;;
  esac
  declare "${1#--}=$2"
  shift 2
done
[[ -n $engine && -n $tag ]] || usage
choose_version "$version"
for source in "$here/apps/$app" "$here/apps/$app.py" "$app"; do
  [[ ! -e $source ]] || break
done
[[ -n $app && -e $source ]] || { echo "build.sh: there is no app '$app' in $here/apps." >&2; exit 64; }
find_python
find_packages

export DOCKER_HOST="$engine"
# Debian's client lacks the BuildKit plug-in. Every engine still has the classic builder.
export DOCKER_BUILDKIT=0
work="$(mktemp -d)"
index=''
cleanup() {
  [[ -z $index ]] || docker rm --force "$index" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

find_base_image

# The package index: a container with the wheels, whose loopback the build shares. So its URL never changes, and the
# engine reuses the layer with the packages.
if [[ -n $wheels ]]; then
  for wheel in "$wheels"/*.whl; do
    name="$(basename "${wheel%%-[0-9]*}")"
    folder="$work/index/simple/$(tr _. - <<<"${name,,}")"
    mkdir -p "$folder"
    ln -s "$wheel" "$folder/"
  done
  chmod -R a+rX "$work"
  index="$(docker run --detach --network none --volume "$wheels:$wheels:ro" --volume "$work/index:/index:ro" "$base" \
    python3 -m http.server --directory /index --bind 127.0.0.1 80)"
  pip_index=(--network "container:$index" --build-arg PIP_INDEX_URL=http://127.0.0.1/simple)
else
  pip_index=(--network host --build-arg "PIP_INDEX_URL=$("$python" -m pip config get global.index-url 2>/dev/null ||
    echo "${PIP_INDEX_URL:-https://pypi.org/simple}")")
fi

project="$work/project"
mkdir "$project"
cp "$root/Dockerfile.streamlit" "$project/"
cp "$root/Dockerfile.streamlit.dockerignore" "$project/.dockerignore"
write_requirements >"$project/requirements.txt"
if [[ -d $source ]]; then cp -r "$source/." "$project/"; else cp "$source" "$project/app.py"; fi

docker build --quiet "${pip_index[@]}" --file "$project/Dockerfile.streamlit" --build-arg ENTRY=app.py \
  --build-arg "BASE_IMAGE=$base" --build-arg BUILD_PACKAGES= --tag "$tag" "$project" \
  >"$work/id" 2>"$work/log" || {
  tail -n 30 "$work/log" >&2
  echo "build.sh: the engine at $engine could not build $tag." >&2
  exit 1
}
# Keeps the layers when the image is removed.
docker tag "$tag" "ragagent-streamlit:$version"
cat "$work/id"
