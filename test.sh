#!/usr/bin/env bash
# Builds everything and proves it.
#
#   ./test.sh            all: lint, units and simulation, the package, real parts, a machine that boots (under half an hour)
#   ./test.sh --quick    units and simulation only: under a minute after the build
#   ./test.sh --instance the package in a machine that boots, and nothing else
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

what=all
case "${1:-}" in
  '') ;;
  --quick) what=quick ;;
  --instance) what=instance ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac

say() { printf '\n== %s\n' "$*"; }
passed=0 failed=0 failures=''
work="$(mktemp -d)"
log="$work/log"
beside=''
# Asked to end, it can take its machines away first; not seen of one that is just being made.
trap '[[ -z "$beside" ]] || { kill -INT "$beside" && wait "$beside"; } 2>/dev/null || true; rm -rf "$work"' EXIT

# Nothing here may ask a real metadata service, and nobody's own AWS credentials are used.
unset "${!AWS_@}"
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

count() { # count NAME COMMAND… : a check that is one test
  local name="$1"
  shift
  say "$name"
  if "$@"; then passed=$((passed + 1)); else fail 1 "FAILED: $name"; fi
}

fail() { # fail COUNT TEXT : told where it happens, and once more at the end
  failed=$((failed + $1))
  failures+="$2"$'\n'
  echo "$2"
}

run_tests() { # run_tests PROJECT [OPTION…] : a test program, whose summary is added up
  say "$1"
  local code=0
  "$(program "$1")" -noColor "${@:2}" 2>&1 | tee "$log" || code=$?
  add_up "$1" "$log" "$code"
}

program() { echo "tests/$1/bin/Release/net10.0/$1"; } # program PROJECT

add_up() { # add_up PROJECT LOG CODE
  local summary
  summary="$(grep -E 'Total: [0-9]+' "$2" | tail -n 1)" || true
  number() { sed -n "s/.*$1: \([0-9]*\).*/\1/p" <<<"$summary"; }
  if [[ -z "$summary" || "$(number Total)" == 0 ]]; then
    fail 1 "FAILED: $1 ran no test"
    return
  fi
  local broken=$(($(number Failed) + $(number Errors)))
  # A program that fails without a failed test (a fixture, a crash) has failed all the same.
  [[ $broken -gt 0 || $3 -eq 0 ]] || broken=1
  passed=$((passed + $(number Total) - $(number Failed)))
  [[ $broken -eq 0 ]] || fail "$broken" "FAILED: $broken of $1 (exit code $3)
$(awk '/\[FAIL\]$/ { of = 1; print; next } of && /^      / { print; next } { of = 0 }' "$2")"
}

# The handover of secrets is tried with busybox's shell, too.
scripts/apt-install.sh busybox-static

say "Build"
dotnet build RagAgent.sln -c Release -nologo -v quiet

if [[ "$what" == instance ]]; then
  count "The package" packaging/build.sh
  run_tests RagAgent.InstanceTests -maxThreads 4
else
  # Who waits for it gets a deeper simulation.
  [[ "$what" == quick ]] || export RAGAGENT_SIMULATION_HISTORIES="${RAGAGENT_SIMULATION_HISTORIES:-20000}"
  run_tests RagAgent.Tests
fi

if [[ "$what" == all ]]; then
  scripts/apt-install.sh docker-registry busybox-static debootstrap awscli amazon-ecr-credential-helper skopeo iproute2 util-linux openssl curl ca-certificates systemd-container pebble certbot
  if ! command -v docker >/dev/null || ! command -v dockerd >/dev/null; then scripts/apt-install.sh docker.io; fi
  count "Lint" scripts/lint.sh
  count "Dockerfile.streamlit" scripts/check-dockerfile.sh
  count "deploy.yml" scripts/check-workflow.sh
  count "The package" packaging/build.sh
  count "Its installation" scripts/check-install.sh
  # What is tested against real parts is the binary that is shipped.
  tar --extract --gzip --strip-components=1 --directory "$work" --file "$(find dist -name '*.tar.gz' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)"
  chmod 755 "$work"   # a test runs it as another user
  export RAGAGENT_BINARY="$work/ragagent"
  # More at a time than there are cores, and the machines beside the rest: they mostly wait for what they test.
  # The shell has what it starts beside itself ignore an interrupt.
  env --default-signal=INT "$(program RagAgent.InstanceTests)" -noColor -maxThreads 2 >"$work/machines" 2>&1 &
  beside=$!
  run_tests RagAgent.IntegrationTests -maxThreads 4
  say RagAgent.InstanceTests
  code=0
  wait "$beside" || code=$?
  beside=''
  cat "$work/machines"
  add_up RagAgent.InstanceTests "$work/machines" "$code"
fi

say "Result"
printf '%s' "$failures"
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
