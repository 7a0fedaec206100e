#!/usr/bin/env bash
# Removes RagAgent. Run it as root: /usr/share/ragagent/uninstall.sh
#
#   uninstall.sh           stops the service and removes the program; keeps /etc/ragagent.json and /var/lib/ragagent
#   uninstall.sh --purge   removes these two and the user as well
#
# The app is left as it is: its container (`docker ps` shows it, `docker rm --force NAME` ends it), its images and its
# folders below /var/lib/ragstream.
# It can be repeated.
set -euo pipefail
# `su` keeps a PATH that lacks the place where userdel is.
PATH="$PATH:/usr/sbin:/sbin"

catalog=/usr/lib/systemd/catalog/ragagent.catalog
purge=no packaged=no
while (($#)); do
  case "$1" in
    --purge) purge=yes ;;
    # All but the files, which the package manager removes: the .deb's prerm.
    --packaged) packaged=yes ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "uninstall.sh: unknown option $1. --help lists the options." >&2; exit 64 ;;
  esac
  shift
done
((EUID == 0)) || { echo "uninstall.sh: removing needs root. Run: sudo $0" >&2; exit 1; }

# Before the service is stopped: what is refused changes nothing.
if [[ $packaged == no && "$(dpkg-query --show --showformat='${db:Status-Status}' ragagent 2>/dev/null)" == installed ]]; then
  echo "uninstall.sh: RagAgent was installed as a package, so nothing was removed. Run: apt-get remove ragagent (or purge)" >&2
  exit 1
fi
if [[ -d /run/systemd/system ]]; then
  systemctl stop ragagent.socket ragagent.service 2>/dev/null || ! systemctl --quiet is-active ragagent.service || {
    echo "uninstall.sh: the service does not stop, so nothing was removed. See why: journalctl -u ragagent -n 30" >&2
    exit 1
  }
fi
if [[ $packaged == yes ]]; then
  # For install.sh at the next installation: dpkg tells it neither that the package was away nor what the administrator had chosen.
  systemctl is-enabled ragagent.service >/var/lib/ragagent.removed 2>/dev/null || true
  systemctl --quiet disable ragagent.service ragagent.socket
  exit
fi
for unit in ragagent.service ragagent.socket; do
  if [[ -e /etc/systemd/system/$unit ]]; then systemctl --quiet disable "$unit"; fi
  rm -f "/etc/systemd/system/$unit"
done
rm -f /usr/bin/ragagent /usr/share/man/man8/ragagent.8 /usr/share/bash-completion/completions/ragagent
rm -rf /usr/share/ragagent /usr/share/doc/ragagent
if [[ -e $catalog ]]; then
  rm -f "$catalog"
  journalctl --update-catalog
fi
if [[ -d /run/systemd/system ]]; then systemctl daemon-reload; fi

if [[ $purge == yes ]]; then
  rm -rf /etc/ragagent.json /var/lib/ragagent
  if getent passwd ragagent >/dev/null; then userdel ragagent; fi
  echo "Removed, with its configuration, its state and its user."
else
  echo "Removed. Kept: /etc/ragagent.json and /var/lib/ragagent (--purge removes them, too)."
fi
echo "The app's container and its data are left as they are. See: docker ps, and the volumes of its configuration (/var/lib/ragstream)"
