#!/usr/bin/env bash
# What an image must not carry from the machine that it was baked on: keys, identity, state, logs, Docker's images. For a machine that is
# thrown away afterwards; one that serves would lose its data.
#
#   clean.sh --bake    takes it away; the last step before the snapshot
#   clean.sh --check   says what is there all the same, a line each, and exits 1 when anything is
set -euo pipefail
shopt -s nullglob dotglob

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64; }
(($# == 1)) || usage
((EUID == 0)) || { echo "clean.sh: this needs root. Run: sudo $0 $1" >&2; exit 1; }

# Folders that stay and are emptied, and files that go.
empty=(/var/lib/docker /var/lib/containerd /var/lib/ragagent /var/lib/cloud /var/log/journal /var/lib/dhcp /var/lib/NetworkManager /var/crash
  /var/cache/apt/archives /var/lib/apt/lists /var/cache/dnf /root/.aws /root/.docker /root/.gnupg)
# systemd's random seed and credential secret, cloned, would be the same on every machine.
gone=(/etc/ssh/ssh_host_* /root/.ssh/* /root/.*_history /root/.wget-hsts /root/.netrc /root/.lesshst
  /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /var/lib/dbus/machine-id /etc/hostid
  /home/*/.ssh/* /home/*/.*_history /home/*/.aws /home/*/.docker /home/*/.gnupg /home/*/.netrc
  /etc/docker/key.json)
# The app's folders, which install.sh has made for its user, stay; what is in them goes.
data=/var/lib/ragstream

bake() {
  # The agent first, or it would start the app anew.
  systemctl stop ragagent.socket ragagent.service 2>/dev/null || true
  systemctl stop docker.socket docker.service containerd.service 2>/dev/null || true
  # What a container that did not end has mounted.
  awk '$5 ~ "^/var/lib/(docker|containerd)/" { print $5 }' /proc/self/mountinfo | sort -r | while IFS= read -r mount; do umount --lazy "$mount"; done

  if command -v apt-get >/dev/null; then apt-get clean; fi
  if command -v dnf >/dev/null; then dnf --quiet clean all >/dev/null; fi
  if command -v cloud-init >/dev/null; then cloud-init clean --logs; fi

  # What would write to the disk until the very end: the shutdown itself, and a seed that every machine of this image would begin with.
  systemctl stop syslog.socket rsyslog.service systemd-random-seed.service 2>/dev/null || true
  journalctl --relinquish-var 2>/dev/null || true
  local each
  for each in "${empty[@]}"; do
    [[ ! -d $each ]] || find "$each" -xdev -mindepth 1 -delete
  done
  [[ ! -d $data ]] || find "$data" -xdev -mindepth 2 -delete
  for each in "${gone[@]}"; do rm -rf --one-file-system "$each"; done
  # Empty, not absent: systemd then makes a new id at the first boot, and binds over it when the disk is read-only.
  : >/etc/machine-id
  [[ ! -d /var/lib/dbus ]] || ln -s /etc/machine-id /var/lib/dbus/machine-id

  # Rotated logs go; those that a program holds open are emptied and stay its.
  find /var/log -xdev -type f \( -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' -o -name '*.old' -o -name '*-20[0-9]*' \) -delete
  find /var/log -xdev -type f -exec truncate --no-create --size=0 {} +
  sync
}

check() {
  local each found=0
  tell() { echo "left: $1"; found=1; }
  first_in() { [[ ! -d $1 ]] || find "$1" -xdev -mindepth "${2:-1}" -print -quit; }
  for each in "${empty[@]}"; do
    # Caches may be filled again by what still runs, and hold no secret.
    [[ $each == /var/cache/* || $each == /var/lib/apt/* || -z "$(first_in "$each")" ]] || tell "$(first_in "$each")"
  done
  [[ -z "$(first_in "$data" 2)" ]] || tell "$(first_in "$data" 2)"
  for each in "${gone[@]}"; do
    [[ ! -e $each || -L $each ]] || tell "$each"
  done
  [[ ! -s /etc/machine-id ]] || tell "/etc/machine-id, with an id in it"
  while IFS= read -r each; do tell "$each, with a key in it"; done < <(grep --recursive --files-with-matches --extended-regexp --binary-files=without-match \
    'sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|BEGIN ([A-Z]+ )?PRIVATE KEY' /etc /root /home /var/log 2>/dev/null || true)
  return "$found"
}

case "$1" in
  --bake) bake ;;
  --check) check ;;
  *) usage ;;
esac
