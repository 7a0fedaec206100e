#!/usr/bin/env bash
# A private Docker Engine that shares nothing with another one on this machine: own containerd, own
# bridge and subnet, no iptables rules, everything below DIR.
#
#   scripts/engine.sh start DIR [DOCKERD-OPTION…]   starts it and prints its address, unix://DIR/docker.sock
#   scripts/engine.sh stop DIR                      ends it with its containers and removes what it made
#
# Both can be repeated. `start` on an engine whose dockerd was killed brings it back with its data.
# Ports can be published on loopback: docker-proxy carries them. Containers do not reach the outside.
set -euo pipefail

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64; }
fail() { echo "engine.sh: $*" >&2; exit 1; }

(($# >= 2)) || usage
verb="$1"
dir="$(realpath -m -- "$2")"
shift 2

socket="$dir/docker.sock"
containerd_socket="$dir/containerd.sock"
# shellcheck source=scripts/processes.sh
source "$(dirname "${BASH_SOURCE[0]}")/processes.sh"
bridge="rag-$(printf '%s' "$dir" | sha256sum | cut -c1-10)" # a link's name has 15 characters at most

dockerd_pids() { pids_with_argument "--host=unix://$socket"; }
containerd_pids() { pids_with_argument "--config=$dir/containerd.toml"; }
shim_pids() { pids_with_argument "$containerd_socket"; }

answers() { DOCKER_HOST="unix://$socket" timeout 5 docker version >/dev/null 2>&1; }

make_bridge() {
  ip link show "$bridge" >/dev/null 2>&1 && return
  # 198.18.0.0/15 is set aside for test benches: no real network is hidden by it.
  exec 8>/run/lock/ragagent-engine.lock
  flock 8
  local number
  for number in {0..255}; do
    [[ -z "$(ip -4 -o address show to "198.18.$number.0/24")" ]] || continue
    ip link add "$bridge" type bridge
    ip address add "198.18.$number.1/24" dev "$bridge"
    ip link set "$bridge" up
    exec 8>&-
    return
  done
  fail "all 256 subnets of 198.18.0.0/16 are taken. Stop the engines that are no longer used: ip -brief link show type bridge"
}

start() {
  ((EUID == 0)) || fail "a Docker Engine needs root. Run the command as root."
  # exec/libnetwork/<12>.sock must fit into the 107 characters that a socket's path may have.
  ((${#dir} <= 70)) || fail "the path $dir is too long for the engine's sockets (70 characters at most). Use a folder directly below /tmp."
  local tool
  # Asked by command, not by package: an engine from elsewhere serves as well and is not replaced.
  for tool in dockerd containerd docker iptables ip; do
    command -v "$tool" >/dev/null || "$(dirname "${BASH_SOURCE[0]}")/apt-install.sh" docker.io iptables iproute2 || exit
  done
  if answers; then
    echo "unix://$socket"
    return
  fi
  mkdir -p "$dir"
  make_bridge

  if [[ -z "$(containerd_pids)" ]]; then
    cat >"$dir/containerd.toml" <<TOML
version = 2
root = "$dir/containerd"
state = "$dir/exec/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$containerd_socket"
TOML
    # A session of its own: Ctrl-C in the terminal is for the script, which then calls stop.
    setsid containerd "--config=$dir/containerd.toml" >"$dir/containerd.log" 2>&1 </dev/null 8>&- 9>&- &
    wait_until 150 test -S "$containerd_socket" || {
      tail -n 20 "$dir/containerd.log" >&2
      fail "containerd did not start within 15 s. The end of $dir/containerd.log is above."
    }
  fi

  # Left by an engine that was killed. dockerd refuses to start when another process has got that id.
  rm -f "$dir/pid"
  # An empty file in the place of /etc/docker/daemon.json: options of the machine's engine are not for this one.
  echo '{}' >"$dir/daemon.json"
  setsid dockerd "--host=unix://$socket" "--config-file=$dir/daemon.json" "--containerd=$containerd_socket" \
    --data-root="$dir/data" --exec-root="$dir/exec" --pidfile="$dir/pid" \
    --bridge="$bridge" --iptables=false --ip6tables=false --ip-forward=false "$@" >>"$dir/dockerd.log" 2>&1 </dev/null 8>&- 9>&- &
  local dockerd=$!
  answers_or_ended() { answers || ! kill -0 "$dockerd" 2>/dev/null; }
  wait_until 600 answers_or_ended || true
  answers || {
    tail -n 20 "$dir/dockerd.log" >&2
    fail "dockerd did not come up. The end of $dir/dockerd.log is above; 'engine.sh stop $dir' removes what is left."
  }
  echo "unix://$socket"
}

end_processes() { # end_processes TENTHS FINDER: asks, waits, then insists
  local pids
  pids="$("$2")"
  [[ -n $pids ]] || return 0
  # shellcheck disable=SC2086 # one id a word
  kill -TERM $pids 2>/dev/null || true
  gone() { [[ -z "$("$1")" ]]; }
  wait_until "$1" gone "$2" && return
  # shellcheck disable=SC2046
  kill -KILL $("$2") 2>/dev/null || true
  wait_until 50 gone "$2" || fail "the processes $("$2" | tr '\n' ' ')of the engine in $dir do not end."
}

mounts_below() {
  awk -v below="$dir/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r
}

stop() {
  # Killed, not stopped: nothing is left to save, and a container may ignore SIGTERM.
  local containers
  if containers="$(DOCKER_HOST="unix://$socket" timeout 10 docker ps --quiet 2>/dev/null)" && [[ -n $containers ]]; then
    # shellcheck disable=SC2086
    DOCKER_HOST="unix://$socket" timeout 30 docker kill $containers >/dev/null 2>&1 || true
  fi
  end_processes 200 dockerd_pids
  # What an engine that was killed has left running is a child of a shim.
  local shim
  for shim in $(shim_pids); do
    pkill -KILL --parent "$shim" || true
  done
  end_processes 50 containerd_pids
  end_processes 20 shim_pids
  # The groups of containers that no engine was there to remove.
  local container
  for container in "$dir"/data/containers/*; do
    find /sys/fs/cgroup -depth -type d -path "*/${container##*/}*" -exec rmdir {} + 2>/dev/null || true
  done
  local mount
  mounts_below | while IFS= read -r mount; do
    umount "$mount" 2>/dev/null || umount --lazy "$mount"
  done
  if ip link show "$bridge" >/dev/null 2>&1; then ip link delete "$bridge"; fi
  [[ -d $dir ]] || return 0
  (cd "$dir" && rm -rf --one-file-system data exec containerd containerd.sock containerd.sock.ttrpc containerd.toml \
    containerd.log docker.sock daemon.json dockerd.log pid)
  rmdir --ignore-fail-on-non-empty "$dir"
}

case "$verb" in
  start) start "$@" ;;
  stop) stop ;;
  *) usage ;;
esac
