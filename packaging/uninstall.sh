#!/usr/bin/env bash
# Removes RagAgent. Run it as root: /usr/share/ragagent/uninstall.sh
#
#   uninstall.sh           stops the service and removes the program; keeps /etc/ragagent.json and /var/lib/ragagent
#   uninstall.sh --purge   also removes these two and the user
#
# It doesn't touch the app: the container (to remove it: docker rm --force NAME), its images, and its folders in
# /var/lib/ragstream. It can be repeated.
set -euo pipefail
# `su` keeps the PATH of a user, which lacks userdel.
PATH="$PATH:/usr/sbin:/sbin"

catalog=/usr/lib/systemd/catalog/ragagent.catalog
purge=no packaged=no
while (($#)); do
  case "$1" in
    --purge) purge=yes ;;
    # For the prerm script of the .deb: dpkg removes the files.
    --packaged) packaged=yes ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "uninstall.sh: unknown option $1. --help lists the options." >&2; exit 64 ;;
  esac
  shift
done
((EUID == 0)) || { echo "uninstall.sh: removing needs root. Run: sudo $0" >&2; exit 1; }

# shellcheck disable=SC2016 # a variable of dpkg-query
if [[ $packaged == no && "$(dpkg-query --show --showformat='${db:Status-Status}' ragagent 2>/dev/null)" == installed ]]; then
  echo "uninstall.sh: RagAgent was installed as a package, so nothing was removed. Run: apt-get remove ragagent (or purge)" >&2
  exit 1
fi
if [[ -d /run/systemd/system ]]; then
  systemctl stop ragagent.socket ragagent.service 2>/dev/null || ! systemctl --quiet is-active ragagent.service || {
    echo "uninstall.sh: the service doesn't stop, so nothing was removed. See: journalctl -u ragagent -n 30" >&2
    exit 1
  }
fi
if [[ $packaged == yes ]]; then
  # Saved for the next installation: dpkg doesn't tell install.sh that the package was removed, or whether it was enabled.
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
  echo "Removed, including its configuration, its state and its user."
else
  echo "Removed. Kept: /etc/ragagent.json and /var/lib/ragagent (--purge also removes these)."
fi
echo "The app's container and its data are untouched. See: docker ps, and /var/lib/ragstream"
