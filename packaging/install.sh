#!/usr/bin/env bash
# Installs RagAgent from the unpacked archive. Run it as root.
#
#   ./install.sh              installs or upgrades, enables the service, and starts or restarts it
#   ./install.sh --no-start   doesn't start it, for building a machine image; works in a chroot
#   ./install.sh --dry-run    only says what it would do
#
# It can be repeated, and only changes what is not up to date. It never overwrites /etc/ragagent.json.
set -euo pipefail
umask 022
# `su` keeps the PATH of a user, which has neither dockerd nor useradd.
PATH="$PATH:/usr/sbin:/sbin"

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
start=yes dry=no changed=no packaged=no upgrade=no
fail() { echo "install.sh: $*" >&2; exit 1; }
while (($#)); do
  case "$1" in
    --no-start) start=no ;;
    --dry-run) dry=yes ;;
    # For the postinst script of the .deb: dpkg has installed the files, and the rest is left to do.
    --packaged) packaged=yes ;;
    # With --packaged: an upgrade.
    --upgrade) upgrade=yes ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "install.sh: unknown option $1. --help lists the options." >&2; exit 64 ;;
  esac
  shift
done

# --- Requirements, checked before anything is changed.
[[ "$(uname -s)" == Linux ]] || fail "RagAgent runs on Linux. This is $(uname -s)."
[[ "$(uname -m)" == x86_64 ]] || fail "this archive is for x86_64, and this machine is $(uname -m). Use an x86_64 instance type (t3, m7i)."
((EUID == 0)) || fail "installing needs root. Run: sudo ./install.sh"
program="$here/ragagent"
if [[ $packaged == yes ]]; then
  program=/usr/bin/ragagent
  [[ -d /run/systemd/system ]] || start=no
fi
for file in ragagent ragagent.{service,socket,catalog,json,schema.json,8,bash} uninstall.sh LICENSE docs/configuration.md; do
  [[ $packaged == yes || -f $here/$file ]] || fail "$here/$file is missing. Unpack the whole archive again and run install.sh from there."
done
supported="Use Ubuntu 24.04, Debian 12 or Amazon Linux 2023."
command -v systemctl >/dev/null || fail "systemd is not installed. The agent needs it. $supported"
[[ $start == no || -d /run/systemd/system ]] ||
  fail "systemd is not running (is this a chroot or a container?). Use --no-start; the service starts at the next boot."

# shellcheck disable=SC2016 # a variable of dpkg-query
[[ $packaged == yes || "$(dpkg-query --show --showformat='${db:Status-Status}' ragagent 2>/dev/null)" != installed ]] ||
  fail "RagAgent is already installed as a package. Upgrade the package (apt-get install ./ragagent_VERSION_amd64.deb)" \
    "or remove it first (apt-get remove ragagent)."

if ! output="$("$program" --version 2>&1)"; then
  glibc="$(getconf GNU_LIBC_VERSION 2>/dev/null || echo 'no glibc')"
  required="$(grep -o 'GLIBC_[0-9.]*' <<<"$output" | sort -uV | tail -n 1)" || true
  [[ -z $required ]] || fail "the binary needs glibc ${required#GLIBC_} or later, and this machine has $glibc. $supported"
  fail "the binary doesn't run on this machine ($glibc): $output"
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
    ssl_hint="apt-get install openssl ca-certificates (Ubuntu 24.04, Debian 12)"
    ssl_hint+=" or dnf install openssl-libs ca-certificates (Amazon Linux 2023)"
    ;;
esac
command -v dockerd >/dev/null || fail "the Docker Engine is not installed. Run: $docker_hint"
systemctl cat docker.service >/dev/null 2>&1 || [[ -e /usr/lib/systemd/system/docker.service || -e /lib/systemd/system/docker.service ]] ||
  fail "there is a dockerd, but no docker.service (is Docker from a snap, or rootless?). Run: $docker_hint"
# The agent loads OpenSSL on first use. Without it, the agent would start and then crash at its first call to AWS.
# grep must read all of the list: if it stopped at the first match, SIGPIPE would make ldconfig fail.
ldconfig -p 2>/dev/null | grep -E 'libssl\.so\.(3|1\.1) ' >/dev/null ||
  fail "the OpenSSL library (libssl.so.3) is not installed. The agent needs it to call AWS. Run: $ssl_hint"
[[ -n "$(ls -A /etc/ssl/certs 2>/dev/null)" ]] ||
  fail "there are no CA certificates in /etc/ssl/certs. The agent needs them to trust AWS. Run: $ssl_hint"
getent group docker >/dev/null ||
  fail "there is no group 'docker', which gives the agent access to Docker. Run: groupadd --system docker && systemctl restart docker"

catalog=/usr/lib/systemd/catalog/ragagent.catalog   # the explanations that journalctl -x shows

# --- The installation. Each step first checks whether it is needed.
step() { # step MESSAGE COMMAND…
  echo "$1"
  shift
  changed=yes
  [[ $dry == yes ]] || "$@"
}

install_file() { [[ $packaged == yes ]] || update_file "$@"; } # install_file FILE TARGET MODE
update_file() { # update_file FILE TARGET MODE
  [[ -f $2 && "$(stat --format='%a %u %g' "$2")" == "$3 0 0" ]] && cmp --silent "$here/$1" "$2" && return
  step "$2: $([[ -e $2 ]] && echo replaced || echo installed)" write_file "$1" "$2" "$3"
}
write_file() { # write_file FILE TARGET MODE
  mkdir -p "$(dirname "$2")"
  # Write a new file and rename it: a running binary can't be overwritten, and nothing ever sees half a file.
  install -o root -g root -m "$3" "$here/$1" "$2.new"
  mv -f "$2.new" "$2"
  [[ $2 != "$catalog" ]] || journalctl --update-catalog
}

if ! getent passwd ragagent >/dev/null; then
  getent group ragagent >/dev/null || step "group ragagent: created" groupadd --system ragagent
  step "user ragagent: created" \
    useradd --system --gid ragagent --home-dir /var/lib/ragagent --no-create-home \
      --shell "$(command -v nologin || echo /bin/false)" ragagent
fi
[[ " $(id -nG ragagent 2>/dev/null) " == *" docker "* ]] ||
  step "user ragagent: added to the group docker" usermod --append --groups docker ragagent

install_file ragagent /usr/bin/ragagent 755
install_file ragagent.service /etc/systemd/system/ragagent.service 644
install_file ragagent.socket /etc/systemd/system/ragagent.socket 644
install_file ragagent.catalog "$catalog" 644
install_file ragagent.json /usr/share/ragagent/ragagent.json 644
install_file ragagent.schema.json /usr/share/ragagent/ragagent.schema.json 644
install_file ragagent.8 /usr/share/man/man8/ragagent.8 644
install_file ragagent.bash /usr/share/bash-completion/completions/ragagent 644
install_file LICENSE /usr/share/doc/ragagent/LICENSE 644
for page in "$here"/docs/*.md; do install_file "docs/${page##*/}" "/usr/share/doc/ragagent/${page##*/}" 644; done
install_file uninstall.sh /usr/share/ragagent/uninstall.sh 755
# An existing configuration belongs to the user, even if it is a link to a disk that isn't mounted yet.
if [[ ! -e /etc/ragagent.json && ! -L /etc/ragagent.json ]]; then
  # Create the folders of the sample for the app. Docker would create them for root.
  # This comes before the file, so that it is repeated if this run is interrupted.
  while IFS= read -r folder; do
    [[ -e $folder ]] || step "$folder: created for the app (10001:10001)" install -d -o 10001 -g 10001 -m 750 "$folder"
  done < <(sed -n 's|^ *{ "host": "\(/[^"]*\)", "container".*|\1|p' "$here/ragagent.json")
  update_file ragagent.json /etc/ragagent.json 644
fi

# The archive always enables the units and starts the service (unless --no-start). An upgrade of the package, which may
# happen unattended, keeps what the administrator has set.
enable=yes
if [[ $packaged == yes ]]; then
  removed=/var/lib/ragagent.removed
  if [[ -e $removed ]]; then
    # The package was removed, but not purged. dpkg calls this an upgrade. uninstall.sh has saved the state of the unit.
    upgrade=no
    [[ "$(<"$removed")" == enabled ]] || enable=no
  fi
  if [[ $upgrade == yes ]]; then
    enable=no
  else
    # Units from the archive would hide those of the package. During an upgrade, they are the administrator's own.
    for unit in /etc/systemd/system/ragagent.{service,socket}; do
      [[ ! -f $unit ]] || { step "$unit: removed, because the package has its own" rm -f "$unit"; enable=no; }
    done
  fi
  page=/usr/share/man/man8/ragagent.8
  [[ ! -f $page ]] || step "$page: removed, because the package has its own" rm -f "$page"
  journalctl --update-catalog
  changed=yes
fi
upgraded=$changed
# A half-configured package would block apt, so a package only warns.
fail_or_warn() { [[ $packaged == yes ]] || fail "$1"; echo "ragagent: $1" >&2; }
# shellcheck disable=SC2317,SC2329 # called through step
enable_units() {
  systemctl --quiet enable ragagent.service ragagent.socket ||
    fail_or_warn "the units could not be enabled. See the output of systemctl above."
}
is_enabled() { systemctl is-enabled "$@" 2>/dev/null | uniq || true; }
masked=no
if [[ "$(is_enabled ragagent.service)" == masked* ]]; then
  masked=yes enable=no
elif [[ $enable == yes && "$(is_enabled ragagent.service ragagent.socket)" != enabled ]]; then
  step "ragagent.service: enabled, starts at every boot" enable_units
fi

if [[ $start == yes ]]; then
  [[ $upgraded == no || $dry == yes ]] || systemctl daemon-reload
  verb=''
  case "$(systemctl is-active ragagent.service)" in
    # A restart doesn't affect the app: the new agent adopts it.
    active | activating | reloading) [[ $upgraded == no ]] || verb=restart ;;
    *) [[ $enable == no ]] || verb=start ;;
  esac
  if [[ $packaged == yes && -n $verb ]]; then
    # Debian's way to forbid starting services, for example while an image is built.
    policy=0
    [[ ! -x /usr/sbin/policy-rc.d ]] || /usr/sbin/policy-rc.d ragagent.service "$verb" || policy=$?
    if [[ $masked == yes ]]; then
      echo "ragagent.service: no $verb, because it is masked"
      verb=''
    elif ((policy == 101)); then
      echo "ragagent.service: no $verb, because policy-rc.d doesn't allow it"
      verb=''
    elif ! "$program" config check >/dev/null; then
      # A running agent keeps the configuration it started with, and keeps serving.
      fail_or_warn "the configuration is not valid (see above), so the service did not $verb. Fix it, then run: systemctl $verb ragagent"
      verb=''
    fi
  fi
  # shellcheck disable=SC2317,SC2329 # called through step
  start_service() {
    systemctl "$verb" ragagent.service ||
      fail_or_warn "everything is installed, but the service did not $verb. See: journalctl -u ragagent -n 30"
  }
  [[ -z $verb ]] || step "ragagent.service: ${verb}ed" start_service
fi
[[ $packaged == no ]] || rm -f "$removed"

if [[ $changed == no ]]; then
  echo "Nothing to change: $output is installed."
elif [[ $dry == yes ]]; then
  echo "Dry run: nothing was changed."
elif [[ $start == no || "$(systemctl is-active ragagent.service)" != active ]]; then
  enabled="$(is_enabled ragagent.service)"
  if [[ $enabled == enabled ]]; then when="starts at the next boot"; else when="doesn't start automatically, because it is $enabled"; fi
  echo "Installed. The service $when. Configuration: /etc/ragagent.json"
else
  echo "Installed and running. Configuration: /etc/ragagent.json. Status: ragagent status. Log: journalctl -u ragagent"
fi
