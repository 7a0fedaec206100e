#!/usr/bin/env bash
# A machine that really boots, like an EC2 instance: systemd is PID 1, Docker runs in it, and AWS answers under its real
# host names. It is a namespace, so it lacks hardware, a boot loader and the metadata service's hop limit. Its boot ID
# never changes, because systemd gives the service a fresh /proc, which shows the host's.
#
#   scripts/machine.sh bake DIR PACKAGE [--disk]    creates DIR/tree, the AMI, with the package (.tar.gz or .deb) installed
#                                                   but not started; --disk: on a disk image, so that a power cut loses
#                                                   unwritten data
#   scripts/machine.sh on DIR                       start-instances; returns once systemd runs
#   scripts/machine.sh push DIR VERSION [OPTION…]   pushes the fake app as latest, with options of tests/fake-app/build.sh
#   scripts/machine.sh aws DIR COMMAND…             runs local-aws COMMAND… against the machine's AWS
#   scripts/machine.sh run DIR COMMAND…             runs a command on the machine
#   scripts/machine.sh cloud DIR COMMAND…           runs a command in the network of AWS and the visitors
#   scripts/machine.sh off DIR                      stop-instances, an orderly shutdown
#   scripts/machine.sh cut DIR                      cuts the power
#   scripts/machine.sh remove DIR                   ends it and removes everything it created
#
# DIR must be short, and not below /tmp if that is mounted nodev. The machine is 10.77.0.2, AWS and the visitors are
# 10.77.0.1, each in its own network namespace. The secret is in DIR/key.
set -euo pipefail

usage() { sed -n '2,21s/^# \{0,1\}//p' "$0" >&2; exit 64; }
fail() { echo "machine.sh: $*" >&2; exit 1; }
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

(($# >= 2)) || usage
verb="$1"
dir="$(realpath -m -- "$2")"
shift 2
((EUID == 0)) || fail "a machine needs root. Run the command as root."

id="$(printf '%s' "$dir" | sha256sum | cut -c1-8)"
cloud="ragc-$id" machine="ragm-$id"
region=eu-central-1 account=123456789012
aws_hosts=("ssm.$region.amazonaws.com" "ec2.$region.amazonaws.com" "route53.amazonaws.com" "api.ecr.$region.amazonaws.com"
  "$account.dkr.ecr.$region.amazonaws.com" "prod-$region-starport-layer-bucket.s3.$region.amazonaws.com")

# shellcheck source=scripts/processes.sh
source "$root/scripts/processes.sh"
nspawn_pid() { pids_with_argument "--machine=$machine" | head -n 1; }
aws_pid() { pids_with_argument "$dir/aws.json" | head -n 1; }
init_pid() { # the machine's PID 1, as the host sees it
  local nspawn
  nspawn="$(nspawn_pid)"
  [[ -n $nspawn ]] && pgrep --parent "$nspawn" | head -n 1
}

# --- The AMI.
base_tree() { # prints the tarball that every machine starts from, which is created once per distribution
  local os cached
  # shellcheck source=/dev/null
  os="$(. /etc/os-release && echo "$ID-$VERSION_CODENAME")"
  cached="${XDG_CACHE_HOME:-$HOME/.cache}/ragagent/machine-$os-1.tar"
  mkdir -p "$(dirname "$cached")"
  (
    flock 9
    [[ -s $cached ]] || {
      "$root/tests/fake-app/make-tree.sh" "$cached.new" \
        systemd,systemd-sysv,dbus,ca-certificates,iproute2,iptables,procps,curl,libssl3,docker.io >&2
      mv "$cached.new" "$cached"
    }
  ) 9>"$cached.lock"
  echo "$cached"
}

create_certificates() { # a private CA, and a certificate for the host names of AWS
  mkdir -p "$dir/ca"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj "/CN=Test authority" \
    -keyout "$dir/ca/ca.key" -out "$dir/ca/ca.crt" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=${aws_hosts[0]}" \
    -keyout "$dir/ca/aws.key" -out "$dir/ca/aws.csr" 2>/dev/null
  openssl x509 -req -in "$dir/ca/aws.csr" -CA "$dir/ca/ca.crt" -CAkey "$dir/ca/ca.key" -CAcreateserial -days 7 \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth' "$(printf 'DNS:%s,' "${aws_hosts[@]}" | sed 's/,$//')") \
    -out "$dir/ca/aws.crt" 2>/dev/null
  cat "$dir/ca/aws.crt" "$dir/ca/aws.key" >"$dir/ca/aws.pem"
}

clean_environment=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8)
in_tree() { chroot "$dir/tree" "${clean_environment[@]}" "$@"; }

# Runs a command with DIR/disk mounted on DIR/tree in a private mount namespace. A copy of the mount elsewhere would keep
# the data that a power cut must lose.
# shellcheck disable=SC2016 # variables of the inner shell
with_disk() { unshare --mount --propagation private sh -c 'mount -o loop "$0/disk" "$0/tree" && exec "$@"' "$dir" "$@"; }
disk_is_free() { [[ -z "$(losetup --associated "$dir/disk")" ]]; }

bake() {
  (($# == 1)) || [[ $# == 2 && $2 == --disk ]] || usage
  local package="$1" tree="$dir/tree"
  "$root/scripts/apt-install.sh" debootstrap systemd-container util-linux iproute2 openssl curl docker-registry skopeo \
    busybox-static
  mkdir -p "$tree"
  if (($# == 2)); then
    truncate --size=4G "$dir/disk"
    mkfs.ext4 -q "$dir/disk"
    with_disk "$0" bake "$dir" "$package"
    return
  fi
  tar --extract --file "$(base_tree)" --directory "$tree" --numeric-owner
  create_certificates
  install -m 644 "$dir/ca/ca.crt" "$tree/usr/local/share/ca-certificates/test-authority.crt"
  in_tree update-ca-certificates >/dev/null 2>&1
  # There is no name server: the machine knows the host names of AWS and no others.
  { echo "127.0.0.1 localhost"; printf '10.77.0.1 %s\n' "${aws_hosts[@]}"; } >"$tree/etc/hosts"
  echo ragstream >"$tree/etc/hostname"
  mkdir -p "$tree/var/log/journal"
  : >"$tree/etc/machine-id"
  # nspawn mounts cgroup v1 hierarchies read-only, but Docker creates cgroups in them.
  cat >"$tree/etc/systemd/system/control-groups.service" <<'UNIT'
[Unit]
Description=Make the control groups writable for Docker
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'for each in /sys/fs/cgroup/*/; do mount -o remount,bind,rw "$each"; done'
[Install]
WantedBy=sysinit.target
UNIT
  in_tree systemctl --quiet enable control-groups.service docker.service 2>/dev/null
  local install=(/root/package/install.sh --no-start) code=0
  if [[ $package == *.deb ]]; then
    install -m 644 "$package" "$tree/root/package.deb"
    install=(dpkg --install /root/package.deb)
  else
    mkdir -p "$tree/root/package"
    tar --extract --gzip --file "$package" --directory "$tree/root/package" --strip-components=1 --no-same-owner
  fi
  mount -t proc proc "$tree/proc"
  in_tree "${install[@]}" >"$dir/install.log" 2>&1 || code=$?
  umount "$tree/proc"
  ((code == 0)) || { cat "$dir/install.log" >&2; fail "${install[0]} failed with $code."; }
  # The smallest configuration of the README.
  printf '{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" } }\n' >"$tree/etc/ragagent.json"
  (umask 077 && [[ -s $dir/key ]] || echo "sk-machine-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" >"$dir/key")
}

# --- The world around it.
create_network() {
  [[ ! -e /run/netns/$cloud ]] || return 0
  ip netns add "$cloud"
  ip netns add "$machine"
  ip -n "$cloud" link add eth0 type veth peer name eth0 netns "$machine"
  ip -n "$cloud" address add 10.77.0.1/24 dev eth0
  ip -n "$cloud" address add 169.254.169.254/32 dev lo
  ip -n "$cloud" link set lo up
  ip -n "$cloud" link set eth0 up
  ip -n "$machine" address add 10.77.0.2/24 dev eth0
  ip -n "$machine" link set lo up
  ip -n "$machine" link set eth0 up
  ip -n "$machine" route add default via 10.77.0.1
  # Docker needs forwarding and can't enable it, because nspawn mounts /proc/sys read-only.
  ip netns exec "$machine" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
}

start_aws() {
  [[ -z "$(aws_pid)" ]] || return 0
  [[ -x $dir/local-aws/local-aws ]] || {
    dotnet publish "$root/tests/LocalAws" -c Release -o "$dir/local-aws" --artifacts-path "$dir/build" -v quiet -nologo \
      >"$dir/log" 2>&1 || { cat "$dir/log" >&2; fail "LocalAws doesn't build."; }
    rm -rf "$dir/build"
  }
  setsid ip netns exec "$cloud" "$dir/local-aws/local-aws" serve --state-dir "$dir/aws" --ready-file "$dir/aws.json" \
    --region "$region" --account "$account" --own-names-at 10.77.0.1 --certificate "$dir/ca/aws.pem" \
    --parameter "/ragstream/OPENAI_API_KEY=@$dir/key" \
    --on-stop "exec '$root/scripts/machine.sh' off '$dir'" >"$dir/aws.log" 2>&1 </dev/null &
  wait_until 300 test -s "$dir/aws.json" || { cat "$dir/aws.log" >&2; fail "LocalAws did not start."; }
}

# Each machine gets its own cgroup. In a shared one, machines would mistake each other's services for their own.
# cgroup v1 has several hierarchies, v2 has one.
hierarchies() { find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d ! -name "$machine" -exec test -w {}/cgroup.procs \; -print; }
enter_cgroup() {
  local hierarchy
  for hierarchy in $(if ((unified)); then echo /sys/fs/cgroup; else hierarchies; fi); do
    mkdir -p "$hierarchy/$machine"
    if [[ -e $hierarchy/$machine/cpuset.cpus ]] && ((!unified)); then
      cat "$hierarchy/cpuset.cpus" >"$hierarchy/$machine/cpuset.cpus"
      cat "$hierarchy/cpuset.mems" >"$hierarchy/$machine/cpuset.mems"
    fi
    echo "$BASHPID" >"$hierarchy/$machine/cgroup.procs"
  done
}

on() {
  [[ -d $dir/tree ]] || fail "there is no machine in $dir. Bake one first."
  [[ -z "$(nspawn_pid)" ]] || fail "the machine is already running."
  create_network
  start_aws
  local wrapper=()
  [[ ! -s $dir/disk ]] || wrapper=(with_disk)
  # The host may use cgroup v1, or a mix of both.
  local unified=1
  [[ "$(stat --file-system --format=%T /sys/fs/cgroup)" == cgroup2fs ]] || unified=0
  (
    enter_cgroup
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=$unified
    "${wrapper[@]}" setsid systemd-nspawn --quiet --directory="$dir/tree" --boot --register=no --keep-unit --capability=all \
      --system-call-filter='add_key keyctl bpf perf_event_open' --console=pipe --resolv-conf=off --timezone=off \
      --link-journal=no "--network-namespace-path=/run/netns/$machine" "--machine=$machine"
  ) >>"$dir/console.log" 2>&1 </dev/null &
  systemd_runs() { on_machine test -S /run/systemd/private 2>/dev/null; }
  wait_until 300 systemd_runs || {
    tail -n 20 "$dir/console.log" >&2
    fail "systemd did not start. See the end of its console above ($dir/console.log)."
  }
}

aws_value() { # aws_value NAME
   sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$dir/aws.json" | head -n 1
}

push() {
  (($#)) || usage
  local version="$1" engine
  shift
  engine="$("$root/scripts/engine.sh" start "$dir/e")"
  "$root/tests/fake-app/build.sh" --engine "$engine" --tag "ragstream-web:$version" --version "$version" "$@" >/dev/null
  DOCKER_HOST="$engine" docker save --output "$dir/image.tar" "ragstream-web:$version"
  # The password goes through stdin, because every user can read a command line.
  ip netns exec "$cloud" skopeo login --authfile "$dir/login" --tls-verify=false --username "$(aws_value dockerUser)" \
    --password-stdin "$(aws_value registryHost)" <"$(aws_value dockerPasswordFile)" >/dev/null
  ip netns exec "$cloud" skopeo copy --quiet --authfile "$dir/login" --dest-tls-verify=false \
    "docker-archive:$dir/image.tar" "docker://$(aws_value registryHost)/ragstream-web:latest"
  rm "$dir/image.tar"
}

on_machine() {
  local init
  init="$(init_pid)" || true
  [[ -n $init ]] || { echo "machine.sh: the machine is off." >&2; return 69; }
  nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --root --wdns=/ -- \
    "${clean_environment[@]}" TERM=dumb "$@"
}

off() {
  [[ -n "$(nspawn_pid)" ]] || return 0
  on_machine systemctl --no-block poweroff
  is_off() { [[ -z "$(nspawn_pid)" ]]; }
  wait_until 900 is_off || fail "the machine doesn't shut down."
}

cut() {
  local init nspawn
  init="$(init_pid)" nspawn="$(nspawn_pid)"
  # EXT4_IOC_SHUTDOWN without flushing the journal: from now on nothing reaches the disk, and unwritten data is lost.
  # shellcheck disable=SC2016 # perl's variables
  [[ ! -s $dir/disk || -z $init ]] ||
    on_machine perl -e 'open my $root, "<", "/" or die $!; my $flags = pack "L", 2; ioctl $root, 0x8004587d, $flags or die $!'
  # Killing PID 1 ends all processes of the namespace.
  [[ -z $init ]] || kill -KILL "$init" 2>/dev/null || true
  is_off() { [[ -z "$(nspawn_pid)" ]]; }
  wait_until 100 is_off || { kill -KILL "$nspawn" 2>/dev/null || true; wait_until 50 is_off; }
  [[ ! -s $dir/disk ]] || wait_until 300 disk_is_free || fail "$dir/disk is still in use."
}

remove() {
  (cut) || true   # a failure must not keep the rest from being removed
  "$root/scripts/engine.sh" stop "$dir/e"
  local pid
  pid="$(aws_pid)"
  if [[ -n $pid ]]; then
    aws_has_ended() { [[ -z "$(aws_pid)" ]]; }
    kill -TERM "$pid"
    wait_until 100 aws_has_ended || kill -KILL "$(aws_pid)"
  fi
  local namespace
  for namespace in "$cloud" "$machine"; do
    [[ ! -e /run/netns/$namespace ]] || ip netns delete "$namespace"
  done
  awk -v below="$dir/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while IFS= read -r mount; do
    umount --lazy "$mount"
  done
  find /sys/fs/cgroup -depth -type d -path "*/$machine*" -exec rmdir {} + 2>/dev/null || true
  rm -rf --one-file-system "$dir"
}

case "$verb" in
  bake) bake "$@" ;;
  on) on ;;
  push) push "$@" ;;
  aws) ip netns exec "$cloud" "$dir/local-aws/local-aws" "$@" --endpoint "$(aws_value apiEndpoint)" ;;
  run) on_machine "$@" ;;
  cloud) ip netns exec "$cloud" "$@" ;;
  off) off ;;
  cut) cut ;;
  remove) remove ;;
  *) usage ;;
esac
