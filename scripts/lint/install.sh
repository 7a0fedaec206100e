#!/usr/bin/env bash
# Usage: scripts/lint/install.sh
# Installs the packages of package-lock.json, without running their scripts, if they are missing or outdated.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
[[ node_modules/.package-lock.json -nt package-lock.json ]] || npm ci --ignore-scripts --no-audit --no-fund --silent
