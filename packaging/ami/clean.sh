#!/usr/bin/env bash
# Removes what a machine image must not contain: keys, identity, state, logs, Docker's images. Only run it on a machine that
# is thrown away afterwards. A machine that serves would lose its data.
#
#   clean.sh --bake    removes everything; the last step before the snapshot
#   clean.sh --check   lists what is still there, and exits with 1 if there is anything
set -euo pipefail
shopt -s nullglob dotglob

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64; }
(($# == 1)) || usage
((EUID == 0)) || { echo "clean.sh: cleaning needs root. Run: sudo $0 $1" >&2; exit 1; }

# Folders to empty.
emptied=(/var/lib/docker /var/lib/containerd /var/lib/ragagent /var/lib/cloud /var/log/journal /var/lib/dhcp
  /var/lib/NetworkManager /var/crash /var/cache/apt/archives /var/lib/apt/lists /var/cache/dnf /root/.aws /root/.docker /root/.gnupg)
# Files and folders to remove. Copies of systemd's random seed and credential secret would be the same on every machine.
removed=(/etc/ssh/ssh_host_* /root/.ssh/* /root/.*_history /root/.wget-hsts /root/.netrc /root/.lesshst
  /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /var/lib/dbus/machine-id /etc/hostid
  /home/*/.ssh/* /home/*/.*_history /home/*/.aws /home/*/.docker /home/*/.gnupg /home/*/.netrc
  /etc/docker/key.json)
# install.sh has created the app's folders here. They stay, but their content goes.
data=/var/lib/ragstream

bake() {
  # The agent first: otherwise it would restart the app.
  systemctl stop ragagent.socket ragagent.service 2>/dev/null || true
  systemctl stop docker.socket docker.service containerd.service 2>/dev/null || true
  # A container that is still running has mounts.
  awk '$5 ~ "^/var/lib/(docker|containerd)/" { print $5 }' /proc/self/mountinfo | sort -r | while IFS= read -r mount; do
    umount --lazy "$mount"
  done

  if command -v apt-get >/dev/null; then apt-get clean; fi
  if command -v dnf >/dev/null; then dnf --quiet clean all >/dev/null; fi
  if command -v cloud-init >/dev/null; then cloud-init clean --logs; fi

  # Stop what writes to the disk at shutdown: logs, and a random seed that every machine of this image would start with.
  systemctl stop syslog.socket rsyslog.service systemd-random-seed.service 2>/dev/null || true
  journalctl --relinquish-var 2>/dev/null || true
  local path
  for path in "${emptied[@]}"; do
    [[ ! -d $path ]] || find "$path" -xdev -mindepth 1 -delete
  done
  [[ ! -d $data ]] || find "$data" -xdev -mindepth 2 -delete
  for path in "${removed[@]}"; do rm -rf --one-file-system "$path"; done
  # Empty, not removed: systemd then creates a new ID at the first boot, even if the disk is read-only.
  : >/etc/machine-id
  [[ ! -d /var/lib/dbus ]] || ln -s /etc/machine-id /var/lib/dbus/machine-id

  # Remove rotated logs. Empty the current ones, which programs may have open.
  find /var/log -xdev -type f \( -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' -o -name '*.old' -o -name '*-20[0-9]*' \) -delete
  find /var/log -xdev -type f -exec truncate --no-create --size=0 {} +
  sync
}

check() {
  local path found=0
  report() { echo "left: $1"; found=1; }
  first_in() { [[ ! -d $1 ]] || find "$1" -xdev -mindepth "${2:-1}" -print -quit; }
  for path in "${emptied[@]}"; do
    # Caches contain no secrets, and running services may refill them.
    [[ $path == /var/cache/* || $path == /var/lib/apt/* || -z "$(first_in "$path")" ]] || report "$(first_in "$path")"
  done
  [[ -z "$(first_in "$data" 2)" ]] || report "$(first_in "$data" 2)"
  for path in "${removed[@]}"; do
    [[ ! -e $path || -L $path ]] || report "$path"
  done
  [[ ! -s /etc/machine-id ]] || report "/etc/machine-id, with an id in it"
  while IFS= read -r path; do report "$path, with a key in it"; done < <(
    grep --recursive --files-with-matches --extended-regexp --binary-files=without-match \
      'sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|BEGIN ([A-Z]+ )?PRIVATE KEY' /etc /root /home /var/log 2>/dev/null || true)
  return "$found"
}

case "$1" in
  --bake) bake ;;
  --check) check ;;
  *) usage ;;
esac
