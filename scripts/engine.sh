#!/usr/bin/env bash
# Runs a private Docker Engine that shares nothing with other engines on this machine: its own containerd, bridge
# and subnet, no iptables rules, all files below DIR.
#
#   scripts/engine.sh start DIR [DOCKERD-OPTION…]   starts it and prints its address, unix://DIR/docker.sock
#   scripts/engine.sh stop DIR                      stops it and its containers, and removes everything it created
#
# Both can be repeated. If dockerd was killed, `start` brings the engine back with its data.
# Containers can publish ports on loopback, through docker-proxy. They can't reach other networks.
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
bridge="rag-$(printf '%s' "$dir" | sha256sum | cut -c1-10)" # interface names have at most 15 characters

dockerd_pids() { pids_with_argument "--host=unix://$socket"; }
containerd_pids() { pids_with_argument "--config=$dir/containerd.toml"; }
shim_pids() { pids_with_argument "$containerd_socket"; }

answers() { DOCKER_HOST="unix://$socket" timeout 5 docker version >/dev/null 2>&1; }

create_bridge() {
  ip link show "$bridge" >/dev/null 2>&1 && return
  # 198.18.0.0/15 is reserved for benchmarks, so this hides no real network.
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
  fail "all 256 subnets of 198.18.0.0/16 are in use. Stop the engines you no longer need: ip -brief link show type bridge"
}

start() {
  ((EUID == 0)) || fail "a Docker Engine needs root. Run the command as root."
  # exec/libnetwork/<12 characters>.sock must fit into the 107 characters of a socket's path.
  ((${#dir} <= 70)) || fail "the path $dir is too long for the engine's sockets (at most 70 characters). Use a folder directly below /tmp."
  local tool
  # This looks for commands, not packages, because Docker may come from another source.
  for tool in dockerd containerd docker iptables ip; do
    command -v "$tool" >/dev/null || "$(dirname "${BASH_SOURCE[0]}")/apt-install.sh" docker.io iptables iproute2 || exit
  done
  if answers; then
    echo "unix://$socket"
    return
  fi
  mkdir -p "$dir"
  create_bridge

  if [[ -z "$(containerd_pids)" ]]; then
    cat >"$dir/containerd.toml" <<TOML
version = 2
root = "$dir/containerd"
state = "$dir/exec/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$containerd_socket"
TOML
    # A new session, so that Ctrl-C reaches only the script, which then calls stop.
    setsid containerd "--config=$dir/containerd.toml" >"$dir/containerd.log" 2>&1 </dev/null 8>&- 9>&- &
    wait_until 150 test -S "$containerd_socket" || {
      tail -n 20 "$dir/containerd.log" >&2
      fail "containerd did not start within 15 s. See the end of its log above ($dir/containerd.log)."
    }
  fi

  # A killed dockerd leaves its PID file, and refuses to start if another process has that PID now.
  rm -f "$dir/pid"
  # Instead of /etc/docker/daemon.json, which configures the machine's own engine.
  echo '{}' >"$dir/daemon.json"
  setsid dockerd "--host=unix://$socket" "--config-file=$dir/daemon.json" "--containerd=$containerd_socket" \
    --data-root="$dir/data" --exec-root="$dir/exec" --pidfile="$dir/pid" \
    --bridge="$bridge" --iptables=false --ip6tables=false --ip-forward=false "$@" >>"$dir/dockerd.log" 2>&1 </dev/null 8>&- 9>&- &
  local dockerd=$!
  answers_or_ended() { answers || ! kill -0 "$dockerd" 2>/dev/null; }
  wait_until 600 answers_or_ended || true
  answers || {
    tail -n 20 "$dir/dockerd.log" >&2
    fail "dockerd did not start. See the end of its log above ($dir/dockerd.log). To clean up, run: scripts/engine.sh stop $dir"
  }
  echo "unix://$socket"
}

end_processes() { # end_processes TENTHS-OF-A-SECOND FINDER: SIGTERM to the PIDs that FINDER prints, then SIGKILL
  local pids
  pids="$("$2")"
  [[ -n $pids ]] || return 0
  # shellcheck disable=SC2086 # one PID per word
  kill -TERM $pids 2>/dev/null || true
  gone() { [[ -z "$("$1")" ]]; }
  wait_until "$1" gone "$2" && return
  # shellcheck disable=SC2046
  kill -KILL $("$2") 2>/dev/null || true
  wait_until 50 gone "$2" || fail "the processes $("$2" | tr '\n' ' ')of the engine in $dir don't end."
}

mounts_below() {
  awk -v below="$dir/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r
}

stop() {
  # Kill the containers: they have nothing to save, and may ignore SIGTERM.
  local containers
  if containers="$(DOCKER_HOST="unix://$socket" timeout 10 docker ps --quiet 2>/dev/null)" && [[ -n $containers ]]; then
    # shellcheck disable=SC2086
    DOCKER_HOST="unix://$socket" timeout 30 docker kill $containers >/dev/null 2>&1 || true
  fi
  end_processes 200 dockerd_pids
  # Containers that a killed engine left running are children of a shim.
  local shim
  for shim in $(shim_pids); do
    pkill -KILL --parent "$shim" || true
  done
  end_processes 50 containerd_pids
  end_processes 20 shim_pids
  # A killed engine also leaves the cgroups of its containers.
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
