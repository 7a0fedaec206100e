# shellcheck shell=bash
# Sourced by scripts that build Dockerfile.streamlit. The script sets $root, and DOCKER_HOST.

# An image with Python and git, instead of python:3.11-slim. Made once; parallel runs wait.
find_base_image() { # find_base_image: sets `base`
  # shellcheck disable=SC2154 # the script sets $root
  "$root/scripts/apt-install.sh" debootstrap
  local os tree cache="${XDG_CACHE_HOME:-$HOME/.cache}/ragagent"
  # shellcheck source=/dev/null
  os="$(. /etc/os-release && echo "$ID-$VERSION_CODENAME")"
  tree="$cache/streamlit-tree-$os-2.tar"
  base="ragagent-streamlit-tree:$os-2"
  mkdir -p "$cache"
  exec 9>"$cache/streamlit-tree.lock"
  flock 9
  [[ -s $tree ]] || {
    "$root/tests/fake-app/make-tree.sh" "$tree.new" python3,python3-venv,python-is-python3,git,ca-certificates
    mv "$tree.new" "$tree"
  }
  docker image inspect "$base" >/dev/null 2>&1 || docker import "$tree" "$base" >/dev/null
  exec 9>&-
}
