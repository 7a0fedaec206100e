#!/usr/bin/env bash
# Builds and tests everything.
#
#   ./test.sh            everything: lint, unit tests, simulation, the package, integration and machine tests (under half an hour)
#   ./test.sh --quick    only unit tests and simulation: less than a minute after the build
#   ./test.sh --instance only the package on a machine that boots
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

suite=all
case "${1:-}" in
  '') ;;
  --quick) suite=quick ;;
  --instance) suite=instance ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac

section() { printf '\n== %s\n' "$*"; }
passed=0 failed=0 skipped=0 failures='' skips=''
work="$(mktemp -d)"
log="$work/log"
machine_tests=''
# SIGINT lets the machine tests remove their machines, except one that is just being created.
trap '[[ -z "$machine_tests" ]] || { kill -INT "$machine_tests" && wait "$machine_tests"; } 2>/dev/null || true; rm -rf "$work"' EXIT

# Keep the tests away from the real metadata service and from the user's AWS credentials.
unset "${!AWS_@}"
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

run_check() { # run_check NAME COMMAND…: counts as one test
  local name="$1"
  shift
  section "$name"
  if "$@"; then passed=$((passed + 1)); else fail 1 "FAILED: $name"; fi
}

fail() { # fail COUNT TEXT: prints TEXT now, and again at the end
  failed=$((failed + $1))
  failures+="$2"$'\n'
  echo "$2"
}

run_tests() { # run_tests PROJECT [OPTION…]
  section "$1"
  local code=0
  # Whoever starts this with nohup or in the background has it ignore signals that the tests send to agents.
  env --default-signal=HUP,INT "$(program "$1")" -noColor "${@:2}" 2>&1 | tee "$log" || code=$?
  add_results "$1" "$log" "$code"
}

program() { echo "tests/$1/bin/Release/net10.0/$1"; } # program PROJECT

add_results() { # add_results PROJECT LOG EXIT-CODE: adds the summary at the end of LOG to the totals
  local summary
  summary="$(grep -E 'Total: [0-9]+' "$2" | tail -n 1)" || true
  number() { sed -n "s/.*$1: \([0-9]*\).*/\1/p" <<<"$summary"; }
  if [[ -z "$summary" || "$(number Total)" == 0 ]]; then
    fail 1 "FAILED: $1 ran no test"
    return
  fi
  local broken=$(($(number Failed) + $(number Errors)))
  # A crash or a failing fixture fails the program without a failed test.
  [[ $broken -gt 0 || $3 -eq 0 ]] || broken=1
  passed=$((passed + $(number Total) - $(number Failed) - $(number Skipped) - $(number "Not Run")))
  skipped=$((skipped + $(number Skipped)))
  skips+="$(awk '/\[SKIP\]$/ { sub(/^ */, "SKIPPED: "); sub(/ *\[SKIP\]$/, ":"); printf "%s", $0; of = 1; next }
    of && /^      / { sub(/^ */, " "); print; of = 0 }' "$2")"
  [[ -z $skips || $skips == *$'\n' ]] || skips+=$'\n'
  [[ $broken -eq 0 ]] || fail "$broken" "FAILED: $broken of $1 (exit code $3)
$(awk '/\[FAIL\]$/ { of = 1; print; next } of && /^      / { print; next } { of = 0 }' "$2")"
}

# One unit test runs the shim for secrets in busybox's shell.
scripts/apt-install.sh busybox-static

section "Build"
dotnet build RagAgent.sln -c Release -nologo -v quiet

if [[ "$suite" == instance ]]; then
  run_check "The package" packaging/build.sh
  run_tests RagAgent.InstanceTests -maxThreads 4
else
  # The full run simulates more histories.
  [[ "$suite" == quick ]] || export RAGAGENT_SIMULATION_HISTORIES="${RAGAGENT_SIMULATION_HISTORIES:-20000}"
  run_tests RagAgent.Tests
fi

if [[ "$suite" == all ]]; then
  scripts/apt-install.sh docker-registry busybox-static debootstrap awscli amazon-ecr-credential-helper skopeo iproute2 util-linux \
    openssl curl ca-certificates systemd-container pebble certbot
  if ! command -v docker >/dev/null || ! command -v dockerd >/dev/null; then scripts/apt-install.sh docker.io; fi
  run_check "Lint" scripts/lint.sh
  run_check "Reading a repository" scripts/check-repository.sh
  run_check "Dockerfile.streamlit" scripts/check-dockerfile.sh
  run_check "deploy.yml" scripts/check-workflow.sh
  run_check "The package" packaging/build.sh
  run_check "The installation" scripts/check-install.sh
  # The integration tests use the binary that is shipped.
  package="$(find dist -name '*.tar.gz' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)"
  tar --extract --gzip --strip-components=1 --directory "$work" --file "$package"
  chmod 755 "$work"   # one test runs it as another user
  export RAGAGENT_BINARY="$work/ragagent"
  # More threads than cores, and the machine tests at the same time: the tests mostly wait.
  env --default-signal=HUP,INT "$(program RagAgent.InstanceTests)" -noColor -maxThreads 2 >"$work/machines" 2>&1 &
  machine_tests=$!
  run_tests RagAgent.IntegrationTests -maxThreads 4
  section RagAgent.InstanceTests
  code=0
  wait "$machine_tests" || code=$?
  machine_tests=''
  cat "$work/machines"
  add_results RagAgent.InstanceTests "$work/machines" "$code"
fi

section "Result"
printf '%s' "$skips" "$failures"
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 ]]
