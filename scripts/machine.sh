#!/usr/bin/env bash
# A machine that really boots: systemd is process 1, Docker runs in it, and AWS answers under its own names. It is what the owner
# has on EC2, as far as a namespace can be: only the hardware, the boot loader and the metadata's hop limit are
# missing, and a boot id that changes: systemd gives the service a fresh /proc, which shows this machine's own.
#
#   scripts/machine.sh bake DIR PACKAGE [--disk]   makes DIR/tree: the AMI, with the package (.tar.gz or .deb) installed as the README says, and
#                                           not started; on a disk of its own, so that a power cut loses what was not written to it yet
#   scripts/machine.sh on DIR               start-instances: prints nothing, returns when systemd runs
#   scripts/machine.sh push DIR VERSION [OPTION…]   pushes a stand-in app under the tag latest; options as tests/fake-app/build.sh has them
#   scripts/machine.sh aws DIR COMMAND…     asks AWS as it is played here: local-aws COMMAND…, without --endpoint
#   scripts/machine.sh run DIR COMMAND…     runs a command in the machine
#   scripts/machine.sh cloud DIR COMMAND…   runs a command outside, where AWS and the visitors are
#   scripts/machine.sh off DIR              stop-instances: an orderly shutdown
#   scripts/machine.sh cut DIR              a power cut
#   scripts/machine.sh remove DIR           ends it and removes all that it made
#
# DIR is short, and not below /tmp when that is mounted without devices. The machine is 10.77.0.2, AWS and the visitors are 10.77.0.1: both in
# network namespaces of their own. The secret is in DIR/key.
set -euo pipefail

usage() { sed -n '2,19s/^# \{0,1\}//p' "$0" >&2; exit 64; }
fail() { echo "machine.sh: $*" >&2; exit 1; }
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

(($# >= 2)) || usage
verb="$1"
dir="$(realpath -m -- "$2")"
shift 2
((EUID == 0)) || fail "a machine needs root. Run the command as root."

id="$(printf '%s' "$dir" | sha256sum | cut -c1-8)"
cloud="ragc-$id" box="ragm-$id"
region=eu-central-1 account=123456789012
names=("ssm.$region.amazonaws.com" "ec2.$region.amazonaws.com" "api.ecr.$region.amazonaws.com" "$account.dkr.ecr.$region.amazonaws.com"
  "route53.amazonaws.com"
  "prod-$region-starport-layer-bucket.s3.$region.amazonaws.com")

# shellcheck source=scripts/processes.sh
source "$root/scripts/processes.sh"
nspawn_pid() { pids_with_argument "--machine=$box" | head -n 1; }
aws_pid() { pids_with_argument "$dir/aws.json" | head -n 1; }
# The machine's process 1.
init_pid() {
  local nspawn
  nspawn="$(nspawn_pid)"
  [[ -n $nspawn ]] && pgrep --parent "$nspawn" | head -n 1
}

# --- The AMI.
base_tree() { # what every machine begins with, made once for this distribution
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

make_certificates() { # a private authority, and a certificate of it for AWS's names
  mkdir -p "$dir/ca"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj "/CN=Test authority" \
    -keyout "$dir/ca/ca.key" -out "$dir/ca/ca.crt" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=${names[0]}" \
    -keyout "$dir/ca/aws.key" -out "$dir/ca/aws.csr" 2>/dev/null
  openssl x509 -req -in "$dir/ca/aws.csr" -CA "$dir/ca/ca.crt" -CAkey "$dir/ca/ca.key" -CAcreateserial -days 7 \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth' "$(printf 'DNS:%s,' "${names[@]}" | sed 's/,$//')") \
    -out "$dir/ca/aws.crt" 2>/dev/null
  cat "$dir/ca/aws.crt" "$dir/ca/aws.key" >"$dir/ca/aws.pem"
}

inside_tree() { chroot "$dir/tree" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }

# Runs a command where DIR/tree is the machine's disk, and nobody else has it: who copied the mount would keep what a power cut has to forget.
# shellcheck disable=SC2016 # the inner shell's own
with_disk() { unshare --mount --propagation private sh -c 'mount -o loop "$0/disk" "$0/tree" && exec "$@"' "$dir" "$@"; }
disk_is_free() { [[ -z "$(losetup --associated "$dir/disk")" ]]; }

bake() {
  (($# == 1)) || [[ $# == 2 && $2 == --disk ]] || usage
  local package="$1" tree="$dir/tree"
  "$root/scripts/apt-install.sh" debootstrap systemd-container util-linux iproute2 openssl curl docker-registry skopeo busybox-static
  mkdir -p "$tree"
  if (($# == 2)); then
    truncate --size=4G "$dir/disk"
    mkfs.ext4 -q "$dir/disk"
    with_disk "$0" bake "$dir" "$package"
    return
  fi
  tar --extract --file "$(base_tree)" --directory "$tree" --numeric-owner
  make_certificates
  install -m 644 "$dir/ca/ca.crt" "$tree/usr/local/share/ca-certificates/test-authority.crt"
  inside_tree update-ca-certificates >/dev/null 2>&1
  # No name server: the names that AWS has for the agent, and nothing else of the world.
  { echo "127.0.0.1 localhost"; printf '10.77.0.1 %s\n' "${names[@]}"; } >"$tree/etc/hosts"
  echo ragstream >"$tree/etc/hostname"
  mkdir -p "$tree/var/log/journal"
  : >"$tree/etc/machine-id"
  # nspawn mounts the first version's control groups read-only, and Docker makes groups in them.
  cat >"$tree/etc/systemd/system/control-groups.service" <<'UNIT'
[Unit]
Description=Control groups that Docker can write to
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'for each in /sys/fs/cgroup/*/; do mount -o remount,bind,rw "$each"; done'
[Install]
WantedBy=sysinit.target
UNIT
  inside_tree systemctl --quiet enable control-groups.service docker.service 2>/dev/null
  local install=(/root/package/install.sh --no-start) code=0
  if [[ $package == *.deb ]]; then
    install -m 644 "$package" "$tree/root/package.deb"
    install=(dpkg --install /root/package.deb)
  else
    mkdir -p "$tree/root/package"
    tar --extract --gzip --file "$package" --directory "$tree/root/package" --strip-components=1 --no-same-owner
  fi
  mount -t proc proc "$tree/proc"
  inside_tree "${install[@]}" >"$dir/install.log" 2>&1 || code=$?
  umount "$tree/proc"
  ((code == 0)) || { cat "$dir/install.log" >&2; fail "${install[0]} failed with $code."; }
  # The README's own file.
  printf '{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" } }\n' >"$tree/etc/ragagent.json"
  (umask 077 && [[ -s $dir/key ]] || echo "sk-machine-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" >"$dir/key")
}

# --- The world around it.
make_network() {
  [[ ! -e /run/netns/$cloud ]] || return 0
  ip netns add "$cloud"
  ip netns add "$box"
  ip -n "$cloud" link add eth0 type veth peer name eth0 netns "$box"
  ip -n "$cloud" address add 10.77.0.1/24 dev eth0
  ip -n "$cloud" address add 169.254.169.254/32 dev lo
  ip -n "$cloud" link set lo up
  ip -n "$cloud" link set eth0 up
  ip -n "$box" address add 10.77.0.2/24 dev eth0
  ip -n "$box" link set lo up
  ip -n "$box" link set eth0 up
  ip -n "$box" route add default via 10.77.0.1
}

make_aws() {
  [[ -z "$(aws_pid)" ]] || return 0
  [[ -x $dir/local-aws/local-aws ]] || {
    dotnet publish "$root/tests/LocalAws" -c Release -o "$dir/local-aws" --artifacts-path "$dir/build" -v quiet -nologo >"$dir/log" 2>&1 ||
      { cat "$dir/log" >&2; fail "LocalAws does not build."; }
    rm -rf "$dir/build"
  }
  setsid ip netns exec "$cloud" "$dir/local-aws/local-aws" serve --state-dir "$dir/aws" --ready-file "$dir/aws.json" --region "$region" --account "$account" \
    --own-names-at 10.77.0.1 --certificate "$dir/ca/aws.pem" --parameter "/ragstream/OPENAI_API_KEY=@$dir/key" \
    --on-stop "exec '$root/scripts/machine.sh' off '$dir'" >"$dir/aws.log" 2>&1 </dev/null &
  wait_until 300 test -s "$dir/aws.json" || { cat "$dir/aws.log" >&2; fail "AWS did not come up."; }
}

# Two machines in one group would take each other's services for their own. The first version's have a tree each, the second's one for all.
groups() { find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d ! -name "$box" -exec test -w {}/cgroup.procs \; -print; }
enter_group() {
  local tree
  for tree in $(if ((unified)); then echo /sys/fs/cgroup; else groups; fi); do
    mkdir -p "$tree/$box"
    if [[ -e $tree/$box/cpuset.cpus ]] && ((!unified)); then
      cat "$tree/cpuset.cpus" >"$tree/$box/cpuset.cpus"
      cat "$tree/cpuset.mems" >"$tree/$box/cpuset.mems"
    fi
    echo "$BASHPID" >"$tree/$box/cgroup.procs"
  done
}

on() {
  [[ -d $dir/tree ]] || fail "there is no machine in $dir: bake one."
  [[ -z "$(nspawn_pid)" ]] || fail "it runs already."
  make_network
  make_aws
  local place=()
  [[ ! -s $dir/disk ]] || place=(with_disk)
  # This machine's own control groups are of the first version here, or mixed.
  local unified=1
  [[ "$(stat --file-system --format=%T /sys/fs/cgroup)" == cgroup2fs ]] || unified=0
  (
    enter_group
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=$unified
    "${place[@]}" setsid systemd-nspawn --quiet --directory="$dir/tree" --boot --register=no --keep-unit --capability=all \
    --system-call-filter='add_key keyctl bpf perf_event_open' --console=pipe --resolv-conf=off --timezone=off --link-journal=no \
    "--network-namespace-path=/run/netns/$box" "--machine=$box"
  ) >>"$dir/console.log" 2>&1 </dev/null &
  answers() { inside test -S /run/systemd/private 2>/dev/null; }
  wait_until 300 answers || { tail -n 20 "$dir/console.log" >&2; fail "systemd did not come up. The end of $dir/console.log is above."; }
}

of_aws() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$dir/aws.json" | head -n 1; }

push() {
  (($#)) || usage
  local version="$1" engine
  shift
  engine="$("$root/scripts/engine.sh" start "$dir/e")"
  "$root/tests/fake-app/build.sh" --engine "$engine" --tag "ragstream-web:$version" --version "$version" "$@" >/dev/null
  DOCKER_HOST="$engine" docker save --output "$dir/image.tar" "ragstream-web:$version"
  # The password by standard input: an argument is for everybody to read.
  ip netns exec "$cloud" skopeo login --authfile "$dir/login" --tls-verify=false --username "$(of_aws dockerUser)" --password-stdin \
    "$(of_aws registryHost)" <"$(of_aws dockerPasswordFile)" >/dev/null
  ip netns exec "$cloud" skopeo copy --quiet --authfile "$dir/login" --dest-tls-verify=false \
    "docker-archive:$dir/image.tar" "docker://$(of_aws registryHost)/ragstream-web:latest"
  rm "$dir/image.tar"
}

inside() {
  local init
  init="$(init_pid)" || true
  [[ -n $init ]] || { echo "machine.sh: the machine is off." >&2; return 69; }
  nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --root --wdns=/ -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb "$@"
}

off() {
  [[ -n "$(nspawn_pid)" ]] || return 0
  inside systemctl --no-block poweroff
  is_off() { [[ -z "$(nspawn_pid)" ]]; }
  wait_until 900 is_off || fail "it does not shut down."
}

cut() {
  local init nspawn
  init="$(init_pid)" nspawn="$(nspawn_pid)"
  # EXT4_IOC_SHUTDOWN without a flush of the journal: from now on nothing reaches the disk, and what is in memory alone is lost.
  # shellcheck disable=SC2016 # perl's own
  [[ ! -s $dir/disk || -z $init ]] || inside perl -e 'open my $root, "<", "/" or die $!; my $how = pack "L", 2; ioctl $root, 0x8004587d, $how or die $!'
  # All of a process namespace ends with its process 1.
  [[ -z $init ]] || kill -KILL "$init" 2>/dev/null || true
  is_off() { [[ -z "$(nspawn_pid)" ]]; }
  wait_until 100 is_off || { kill -KILL "$nspawn" 2>/dev/null || true; wait_until 50 is_off; }
  [[ ! -s $dir/disk ]] || wait_until 300 disk_is_free || fail "$dir/disk is still in use."
}

remove() {
  (cut) || true   # what can be removed is
  "$root/scripts/engine.sh" stop "$dir/e"
  local pid
  pid="$(aws_pid)"
  [[ -z $pid ]] || { kill -TERM "$pid"; gone() { [[ -z "$(aws_pid)" ]]; }; wait_until 100 gone || kill -KILL "$(aws_pid)"; }
  local namespace
  for namespace in "$cloud" "$box"; do
    [[ ! -e /run/netns/$namespace ]] || ip netns delete "$namespace"
  done
  awk -v below="$dir/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while IFS= read -r mount; do umount --lazy "$mount"; done
  find /sys/fs/cgroup -depth -type d -path "*/$box*" -exec rmdir {} + 2>/dev/null || true
  rm -rf --one-file-system "$dir"
}

case "$verb" in
  bake) bake "$@" ;;
  on) on ;;
  push) push "$@" ;;
  aws) ip netns exec "$cloud" "$dir/local-aws/local-aws" "$@" --endpoint "$(of_aws apiEndpoint)" ;;
  run) inside "$@" ;;
  cloud) ip netns exec "$cloud" "$@" ;;
  off) off ;;
  cut) cut ;;
  remove) remove ;;
  *) usage ;;
esac
