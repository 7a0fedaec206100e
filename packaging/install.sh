#!/usr/bin/env bash
# Installs RagAgent from the unpacked archive that this file lies in. Run it as root.
#
#   ./install.sh              installs or upgrades, enables the service, starts or restarts it
#   ./install.sh --no-start   the same without starting: for baking a machine image, works in a chroot
#   ./install.sh --dry-run    says what would be done
#
# It can be repeated: what is as it should be is left alone. /etc/ragagent.json is never overwritten.
set -euo pipefail
umask 022
# `su` keeps a PATH that lacks the places where dockerd and useradd are.
PATH="$PATH:/usr/sbin:/sbin"

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
start=yes dry=no changed=no packaged=no upgrade=no
refuse() { echo "install.sh: $*" >&2; exit 1; }
while (($#)); do
  case "$1" in
    --no-start) start=no ;;
    --dry-run) dry=yes ;;
    # What is left to do when the system's own package manager has put the files where they belong: the .deb's postinst.
    --packaged) packaged=yes ;;
    # With it: dpkg had the package before.
    --upgrade) upgrade=yes ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "install.sh: unknown option $1. --help lists the options." >&2; exit 64 ;;
  esac
  shift
done

# --- What it can't serve, each with its sentence, before anything is touched.
[[ "$(uname -s)" == Linux ]] || refuse "RagAgent runs on Linux; this is $(uname -s)."
[[ "$(uname -m)" == x86_64 ]] || refuse "this archive is for x86_64; this machine is $(uname -m). Choose an x86_64 instance type (t3, m7i)."
((EUID == 0)) || refuse "installing needs root. Run: sudo ./install.sh"
program="$here/ragagent"
if [[ $packaged == yes ]]; then
  program=/usr/bin/ragagent
  [[ -d /run/systemd/system ]] || start=no
fi
for file in ragagent ragagent.service ragagent.socket ragagent.catalog ragagent.json ragagent.schema.json ragagent.8 ragagent.bash uninstall.sh LICENSE docs/configuration.md; do
  [[ $packaged == yes || -f $here/$file ]] || refuse "$here/$file is missing. Unpack the whole archive again and run install.sh from there."
done
command -v systemctl >/dev/null || refuse "systemd is not installed, and it is what runs the agent. Use Ubuntu 24.04, Debian 12 or Amazon Linux 2023."
[[ $start == no || -d /run/systemd/system ]] ||
  refuse "systemd does not run here (a chroot or a container?). Use --no-start; the service starts at the next boot."

# shellcheck disable=SC2016 # dpkg's own variable
[[ $packaged == yes || "$(dpkg-query --show --showformat='${db:Status-Status}' ragagent 2>/dev/null)" != installed ]] ||
  refuse "RagAgent is installed here as a package. Upgrade it as one (apt-get install ./ragagent_VERSION_amd64.deb), or remove it first (apt-get remove ragagent)."

if ! said="$("$program" --version 2>&1)"; then
  glibc="$(getconf GNU_LIBC_VERSION 2>/dev/null || echo 'no glibc')"
  needed="$(grep -o 'GLIBC_[0-9.]*' <<<"$said" | sort -uV | tail -n 1)" || true
  [[ -z $needed ]] || refuse "the binary needs glibc ${needed#GLIBC_} or later; this machine has $glibc. Use Ubuntu 24.04, Debian 12 or Amazon Linux 2023."
  refuse "the binary does not run on this machine ($glibc). It says: $said"
fi

os="$(sed -n 's/^ID="\{0,1\}\([a-z]*\)"\{0,1\}$/\1/p' /etc/os-release 2>/dev/null)" || true
case "$os" in
  ubuntu | debian)
    docker_hint="apt-get update && apt-get install -y docker.io"
    ssl_hint="apt-get update && apt-get install -y openssl ca-certificates"
    ;;
  amzn)
    docker_hint="dnf install -y docker && systemctl enable --now docker"
    ssl_hint="dnf install -y openssl-libs ca-certificates"
    ;;
  *)
    docker_hint="apt-get install docker.io (Ubuntu 24.04, Debian 12) or dnf install docker (Amazon Linux 2023)"
    ssl_hint="apt-get install openssl ca-certificates (Ubuntu 24.04, Debian 12) or dnf install openssl-libs ca-certificates (Amazon Linux 2023)"
    ;;
esac
command -v dockerd >/dev/null || refuse "the Docker Engine is not installed. Run: $docker_hint"
systemctl cat docker.service >/dev/null 2>&1 || [[ -e /usr/lib/systemd/system/docker.service || -e /lib/systemd/system/docker.service ]] ||
  refuse "there is a dockerd but no docker.service (a Docker from a snap, or a rootless one?). Run: $docker_hint"
# The agent loads OpenSSL when it first needs it: without it, it would start and then die at its first call of AWS.
# The whole list is read: a grep that stops at the first match ends ldconfig by a signal, which counts as a failure here.
ldconfig -p 2>/dev/null | grep -E 'libssl\.so\.(3|1\.1) ' >/dev/null ||
  refuse "OpenSSL's library (libssl.so.3) is not installed, and without it AWS can't be called. Run: $ssl_hint"
[[ -n "$(ls -A /etc/ssl/certs 2>/dev/null)" ]] ||
  refuse "there are no certificates in /etc/ssl/certs, and without them no answer of AWS can be trusted. Run: $ssl_hint"
getent group docker >/dev/null || refuse "there is no group 'docker', through which the agent reaches the engine. Run: groupadd --system docker && systemctl restart docker"

catalog=/usr/lib/systemd/catalog/ragagent.catalog   # what journalctl -x explains the agent's lines with

# --- What is done. Each step looks first, so that a second run changes nothing.
step() { # step SENTENCE COMMAND…
  echo "$1"
  shift
  changed=yes
  [[ $dry == yes ]] || "$@"
}

ship() { [[ $packaged == yes ]] || put "$@"; } # ship FILE TARGET MODE: what a package manager would put there
put() { # put FILE TARGET MODE
  [[ -f $2 && "$(stat --format='%a %u %g' "$2")" == "$3 0 0" ]] && cmp --silent "$here/$1" "$2" && return
  step "$2: $([[ -e $2 ]] && echo replaced || echo installed)" replace "$1" "$2" "$3"
}
replace() {
  mkdir -p "$(dirname "$2")"
  # Beside it, then renamed: a binary that runs can't be written to, and no half file is ever seen.
  install -o root -g root -m "$3" "$here/$1" "$2.new"
  mv -f "$2.new" "$2"
  [[ $2 != "$catalog" ]] || journalctl --update-catalog
}

if ! getent passwd ragagent >/dev/null; then
  getent group ragagent >/dev/null || step "group ragagent: created" groupadd --system ragagent
  step "user ragagent: created" \
    useradd --system --gid ragagent --home-dir /var/lib/ragagent --no-create-home --shell "$(command -v nologin || echo /bin/false)" ragagent
fi
[[ " $(id -nG ragagent 2>/dev/null) " == *" docker "* ]] || step "user ragagent: added to the group docker" usermod --append --groups docker ragagent

ship ragagent /usr/bin/ragagent 755
ship ragagent.service /etc/systemd/system/ragagent.service 644
ship ragagent.socket /etc/systemd/system/ragagent.socket 644
ship ragagent.catalog "$catalog" 644
ship ragagent.json /usr/share/ragagent/ragagent.json 644
ship ragagent.schema.json /usr/share/ragagent/ragagent.schema.json 644
ship ragagent.8 /usr/share/man/man8/ragagent.8 644
ship ragagent.bash /usr/share/bash-completion/completions/ragagent 644
ship LICENSE /usr/share/doc/ragagent/LICENSE 644
for page in "$here"/docs/*.md; do ship "docs/${page##*/}" "/usr/share/doc/ragagent/${page##*/}" 644; done
ship uninstall.sh /usr/share/ragagent/uninstall.sh 755
# Not a file of ours any more once it is there; also when it is a link to a disk that is not mounted yet.
if [[ ! -e /etc/ragagent.json && ! -L /etc/ragagent.json ]]; then
  # The folders that the sample names: the engine would make them as root, and the app runs as 1000:1000.
  # Before the file: a run that was cut off between the two makes up for it.
  while IFS= read -r folder; do
    [[ -e $folder ]] || step "$folder: created for the app (1000:1000)" install -d -o 1000 -g 1000 -m 750 "$folder"
  done < <(sed -n 's|^ *{ "host": "\(/[^"]*\)", "container".*|\1|p' "$here/ragagent.json")
  put ragagent.json /etc/ragagent.json 644
fi

# Whether the units are enabled and the service is started: always from the archive, whose user can say --no-start. What a package manager
# upgrades, perhaps at night, stays as the administrator has set it.
settle=yes
if [[ $packaged == yes ]]; then
  removed=/var/lib/ragagent.removed
  if [[ -e $removed ]]; then
    # It was removed and not purged, which dpkg calls an upgrade, too. uninstall.sh noted what it found.
    upgrade=no
    [[ "$(<"$removed")" == enabled ]] || settle=no
  fi
  if [[ $upgrade == yes ]]; then
    settle=no
  else
    # Of an earlier installation from the archive: they would hide the package's. At an upgrade they are an administrator's own.
    for unit in /etc/systemd/system/ragagent.{service,socket}; do
      [[ ! -f $unit ]] || { step "$unit: removed, the package has it" rm -f "$unit"; settle=no; }
    done
  fi
  page=/usr/share/man/man8/ragagent.8
  [[ ! -f $page ]] || step "$page: removed, the package has it" rm -f "$page"
  journalctl --update-catalog
  changed=yes
fi
upgraded=$changed
# A package that stays half configured holds up everything that apt does afterwards: there it is said, and the rest is done.
problem() { [[ $packaged == yes ]] || refuse "$1"; echo "ragagent: $1" >&2; }
# shellcheck disable=SC2317,SC2329 # called through step
enable() { systemctl --quiet enable ragagent.service ragagent.socket || problem "the units could not be enabled. systemctl says why above."; }
is_enabled() { systemctl is-enabled "$@" 2>/dev/null | uniq || true; }
masked=no
if [[ "$(is_enabled ragagent.service)" == masked* ]]; then
  masked=yes settle=no
elif [[ $settle == yes && "$(is_enabled ragagent.service ragagent.socket)" != enabled ]]; then
  step "ragagent.service: enabled, it starts at every boot" enable
fi

if [[ $start == yes ]]; then
  [[ $upgraded == no || $dry == yes ]] || systemctl daemon-reload
  verb=''
  case "$(systemctl is-active ragagent.service)" in
    # The app is not touched by a restart: the new agent adopts it.
    active | activating | reloading) [[ $upgraded == no ]] || verb=restart ;;
    *) [[ $settle == no ]] || verb=start ;;
  esac
  if [[ $packaged == yes && -n $verb ]]; then
    # Debian's way of saying that nothing is to be started here, as while an image is made.
    policy=0
    [[ ! -x /usr/sbin/policy-rc.d ]] || /usr/sbin/policy-rc.d ragagent.service "$verb" || policy=$?
    if [[ $masked == yes ]]; then
      echo "ragagent.service: no $verb, it is masked"
      verb=''
    elif ((policy == 101)); then
      echo "ragagent.service: no $verb, policy-rc.d does not allow it"
      verb=''
    elif ! "$program" config check >/dev/null; then
      # An agent that runs keeps the configuration it started with, and visitors are served.
      problem "the configuration can't be used, as said above, so there was no $verb. Mend it, then run: systemctl $verb ragagent"
      verb=''
    fi
  fi
  # shellcheck disable=SC2317,SC2329 # called through step
  begin() {
    systemctl "$verb" ragagent.service || problem "everything is installed, but the service did not $verb. See why: journalctl -u ragagent -n 30"
  }
  [[ -z $verb ]] || step "ragagent.service: ${verb}ed" begin
fi
[[ $packaged == no ]] || rm -f "$removed"

if [[ $changed == no ]]; then
  echo "Nothing to change: $said is installed."
elif [[ $dry == yes ]]; then
  echo "A dry run: nothing of this was done."
elif [[ $start == no || "$(systemctl is-active ragagent.service)" != active ]]; then
  enabled="$(is_enabled ragagent.service)"
  if [[ $enabled == enabled ]]; then when="starts at the next boot"; else when="does not start by itself, it is $enabled"; fi
  echo "Installed. The service $when. Its configuration: /etc/ragagent.json"
else
  echo "Installed and running. Configuration: /etc/ragagent.json; what it does: ragagent status; its log: journalctl -u ragagent"
fi
