#!/usr/bin/env bash
# Usage: scripts/measure.sh [BINARY]
# Measures the native binary (the one in the newest package of dist/ when none is named) and prints: its size, how long
# `ragagent --version` takes, from exec to listening and to serving, its memory two minutes after the app serves.
# With AWS on loopback, a private Docker Engine and the stand-in app; takes four minutes and removes all it made.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() { echo "measure.sh: $*" >&2; exit 1; }

settle=120 starts=20
binary="${1:-}"
work="$(mktemp -d /tmp/ragfig.XXXXXX)"
agent_pid='' aws_pid=''
end_process() { # end_process PID
  [[ -n $1 ]] || return 0
  kill -TERM "$1" 2>/dev/null || true
  for _ in {1..300}; do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}
cleanup() {
  local code=$?
  trap - EXIT INT TERM HUP
  set +e
  end_process "$agent_pid"
  scripts/engine.sh stop "$work/e"
  end_process "$aws_pid"
  [[ $code == 0 || ! -s $work/agent.log ]] || { echo "--- the agent's last lines" >&2; tail -n 20 "$work/agent.log" >&2; }
  rm -rf "$work"
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- The stage.
scripts/apt-install.sh hyperfine docker-registry debootstrap curl
if [[ -z $binary ]]; then
  package="$(find dist -name 'ragagent-*-linux-x64.tar.gz' -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2-)"
  [[ -n $package ]] || fail "there is no package in dist/. Make one: packaging/build.sh"
  tar --extract --gzip --file "$package" --directory "$work" --strip-components=1
  binary="$work/ragagent"
fi
[[ -x $binary ]] || fail "$binary is no program."

unset "${!AWS_@}"
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null DOCKER_CONFIG="$work/docker-config"
mkdir "$DOCKER_CONFIG"
dotnet publish tests/LocalAws -c Release -o "$work/local-aws" --artifacts-path "$work/build" -v quiet -nologo >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; fail "LocalAws does not build."; }
rm -rf "$work/build"
DOCKER_HOST="$(scripts/engine.sh start "$work/e")"
export DOCKER_HOST
(umask 077 && echo "sk-figures-$RANDOM$RANDOM" >"$work/key")
"$work/local-aws/local-aws" serve --state-dir "$work/aws" --ready-file "$work/aws.json" --parameter "/ragstream/OPENAI_API_KEY=@$work/key" \
  >"$work/aws.log" 2>&1 &
aws_pid=$!
for _ in {1..150}; do
  [[ ! -s $work/aws.json ]] || break
  sleep 0.1
done
value() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$work/aws.json" | head -n 1; }
api="$(value apiEndpoint)" repository="$(value registryHost)/ragstream-web"
[[ -n $api ]] || { cat "$work/aws.log" >&2; fail "LocalAws did not come up."; }
unset AWS_EC2_METADATA_DISABLED
export AWS_EC2_METADATA_SERVICE_ENDPOINT="$api" AWS_ENDPOINT_URL_SSM="$api" AWS_ENDPOINT_URL_ECR="$api" AWS_ENDPOINT_URL_EC2="$api"
{
  docker login -u "$(value dockerUser)" --password-stdin "$(value registryHost)" <"$(value dockerPasswordFile)"
  tests/fake-app/build.sh --engine "$DOCKER_HOST" --tag "$repository:latest" --ballast 60m
  docker push "$repository:latest"
} >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "the stand-in app could not be pushed."; }
# The agent shall pull it.
docker images --format '{{.ID}}' "$repository" | sort -u | xargs -r docker rmi --force >/dev/null

# A port that nobody listens on.
open() { : 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null
for port in {18200..18400}; do open || break; done
cat >"$work/ragagent.json" <<JSON
{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" }, "listen": { "http": $port } }
JSON

start() {
  "$binary" run --config "$work/ragagent.json" --runtime-dir "$work/run" --state-dir "$work/state" >>"$work/agent.log" 2>&1 &
  agent_pid=$!
}
serves() { curl --fail --silent --output /dev/null --max-time 5 "http://127.0.0.1:$port/"; }
wait_for() { # wait_for SECONDS COMMAND…: with no pause between two looks, for they are measured
  local until=$((SECONDS + $1))
  until "${@:2}"; do
    ((SECONDS < until)) || fail "$2: not within $1 s."
    kill -0 "$agent_pid" 2>/dev/null || fail "the agent ended."
  done
}
milliseconds_since() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); }
spread() { # spread FILE: median, least and most of one number a line
  sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%d ms (%d to %d, %d starts)\n", v[int((NR + 1) / 2)], v[1], v[NR], NR }'
}
memory() { awk -v key="$1:" '$1 == key { printf "%.1f MiB", $2 / 1024 }' "/proc/$agent_pid/status"; }
line() { printf '%-46s%s\n' "$1" "$2"; }

# --- The figures.
line "machine" "$(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before"
line "$("$binary" --version): size" "$(stat --format=%s "$binary") bytes"
hyperfine -N --warmup 5 --runs 100 --style none --export-csv "$work/version.csv" "$binary --version" >/dev/null 2>&1
line "ragagent --version" "$(tail -n 1 "$work/version.csv" |
  awk -F, '{ printf "%.1f ms ± %.1f (%.1f to %.1f, 100 runs)", $2 * 1000, $3 * 1000, $7 * 1000, $8 * 1000 }')"

start
wait_for 120 serves
sleep "$settle"
serves || fail "the app does not serve any more."
line "memory ${settle} s after the app serves: VmRSS" "$(memory VmRSS)"
line "  of it RssAnon" "$(memory RssAnon)"
line "  of it RssFile" "$(memory RssFile)"
line "  the most it ever was (VmHWM)" "$(memory VmHWM)"
line "  threads" "$(awk '$1 == "Threads:" { print $2 }' "/proc/$agent_pid/status")"
end_process "$agent_pid"

# The app runs on: each of these starts adopts it.
for ((run = 0; run < starts; run++)); do
  from="${EPOCHREALTIME/./}"
  start
  wait_for 30 open
  milliseconds_since "$from" >>"$work/listening"
  wait_for 30 serves
  milliseconds_since "$from" >>"$work/serving"
  end_process "$agent_pid"
done
agent_pid=''
line "from exec to listening" "$(spread "$work/listening")"
line "from exec to the running app served again" "$(spread "$work/serving")"
line "machine" "load $(cut -d' ' -f1-3 /proc/loadavg) after"
