#!/usr/bin/env bash
# Usage: scripts/soak.sh steady|loop [SECONDS] [BINARY]
# What the native binary (the one in the newest package of dist/ when none is named) takes from the machine while it runs for long.
#   steady   a healthy app, the default intervals (600 s): processor time at most 0.2 % of one core, no line in the log, memory
#   loop     an app that ends at once, restarted every 100 ms (3600 s): memory, descriptors and state file flat, log bounded by crash
# Prints figures, and fails when a limit does not hold. With AWS on loopback, a private Docker Engine and the stand-in app;
# removes all it made. Processor time is counted, not wall time: other work on the machine does not change the verdict.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() { echo "soak.sh: $*" >&2; exit 1; }

mode="${1:-}"
case "$mode" in
  steady) seconds="${2:-600}" ;;
  loop) seconds="${2:-3600}" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac
[[ $seconds =~ ^[1-9][0-9]+$ && $seconds -ge 60 ]] || fail "SECONDS is '$seconds'; a whole number from 60 on is needed."
binary="${3:-}"

most_cpu=0.2          # percent of one core
most_growth=4096      # kB of memory that is not backed by a file, from the end of the warm-up on
most_descriptors=8    # more than at the end of the warm-up: connections come and go
most_lines=12         # a crash
most_state=4096       # bytes

work="$(mktemp -d /tmp/raglim.XXXXXX)"
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
trap 'echo "soak.sh: ended by a signal." >&2; exit 143' TERM HUP

# --- The stage.
scripts/apt-install.sh docker-registry busybox-static curl
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
(umask 077 && echo "sk-limits-$RANDOM$RANDOM" >"$work/key")
"$work/local-aws/local-aws" serve --state-dir "$work/aws" --ready-file "$work/aws.json" --parameter "/ragstream/OPENAI_API_KEY=@$work/key" \
  >"$work/aws.log" 2>&1 &
aws_pid=$!
for _ in {1..300}; do
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
  tests/fake-app/build.sh --engine "$DOCKER_HOST" --tag "$repository:latest" --base light
  docker push "$repository:latest"
} >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "the stand-in app could not be pushed."; }

# A port that nobody listens on.
open() { : 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null
port=$((18400 + RANDOM % 1000))
while open; do port=$((port + 1)); done
# The light stand-in has no WebSocket; a watch of a second, so that the image has proven itself before the figures begin.
more='"update": { "watch": "1s" }'
[[ $mode == steady ]] || more='"environment": { "FAKE_APP_EXIT_CODE": "3" }, "restart": { "firstDelay": "100ms", "maxDelay": "100ms" }'
cat >"$work/ragagent.json" <<JSON
{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" }, "listen": { "http": $port },
  "health": { "gate": { "webSocket": null } }, $more }
JSON

# --- What is looked at.
ticks_a_second="$(getconf CLK_TCK)"
ticks() { # The name in the second field may hold blanks: fields are counted from behind its bracket.
  sed 's/.*) //' "/proc/$agent_pid/stat" | awk '{ print $12 + $13 }'
}
status_of() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$agent_pid/status"; }
descriptors() { find "/proc/$agent_pid/fd" -mindepth 1 -maxdepth 1 | wc -l; }
lines() { wc -l <"$work/agent.log"; }
crashes() { { "$binary" status --json --runtime-dir "$work/run" 2>/dev/null || true; } | sed -n 's/.*"crashes": \([0-9]*\).*/\1/p'; }
state_bytes() { find "$work/state" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'; }
serves() { curl --fail --silent --output /dev/null --max-time 5 "http://127.0.0.1:$port/"; }
proven() { grep -q 'has proven itself' "$work/agent.log"; }
looping() { [[ $(crashes) -ge 5 ]]; }
wait_for() { # wait_for SECONDS COMMAND…
  local until=$((SECONDS + $1))
  until "${@:2}"; do
    ((SECONDS < until)) || fail "$2: not within $1 s."
    kill -0 "$agent_pid" 2>/dev/null || fail "the agent ended."
    sleep 0.2
  done
}
line() { printf '%-46s%s\n' "$1" "$2"; }
broken=0
holds() { # holds WHAT VALUE LIMIT
  line "  at most $3" "$(awk -v v="$2" -v m="$3" 'BEGIN { print v <= m ? "holds" : "BROKEN" }'): $1 $2"
  awk -v v="$2" -v m="$3" 'BEGIN { exit !(v <= m) }' || broken=1
}

"$binary" run --config "$work/ragagent.json" --runtime-dir "$work/run" --state-dir "$work/state" >"$work/agent.log" 2>&1 &
agent_pid=$!
line "machine" "$(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before"
line "binary" "$("$binary" --version)"

if [[ $mode == steady ]]; then
  wait_for 120 serves
  wait_for 60 proven
  lines_before="$(lines)" ticks_before="$(ticks)" from="${EPOCHREALTIME/./}" rss="$(status_of VmRSS)" anon="$(status_of RssAnon)"
  sleep "$seconds"
  serves || fail "the app does not serve any more."
  ticks_after="$(ticks)" took="$(((${EPOCHREALTIME/./} - from) / 1000))"
  cpu="$(awk -v t="$((ticks_after - ticks_before))" -v hz="$ticks_a_second" -v ms="$took" 'BEGIN { printf "%.3f", t / hz / (ms / 1000) * 100 }')"
  line "measured over" "$((took / 1000)) s"
  line "processor time" "$(awk -v t="$((ticks_after - ticks_before))" -v hz="$ticks_a_second" 'BEGIN { printf "%.2f s", t / hz }')"
  holds "percent of one core" "$cpu" "$most_cpu"
  line "memory (VmRSS, kB)" "$rss, then $(status_of VmRSS)"
  line "  of it RssAnon (kB)" "$anon, then $(status_of RssAnon)"
  line "descriptors" "$(descriptors)"
  holds "log lines" "$(($(lines) - lines_before))" 0
else
  wait_for 120 looping
  begin=$SECONDS warm=$((seconds / 10 < 300 ? seconds / 10 : 300))
  sample() { echo "$((SECONDS - begin)) $(crashes) $(status_of VmRSS) $(status_of RssAnon) $(descriptors) $(status_of Threads) $(lines) $(stat --format=%s "$work/agent.log") $(state_bytes)"; }
  tell() { awk '{ printf "%6d s %6d crashes  VmRSS %6d kB  RssAnon %6d kB  %3d descriptors  %2d threads  %7d lines  state %d bytes\n", $1, $2, $3, $4, $5, $6, $7, $9 }'; }
  sleep "$warm"
  first="$(sample)"
  tell <<<"$first"
  ticks_before="$(ticks)"
  while ((SECONDS - begin < seconds)); do
    rest=$((seconds - SECONDS + begin)) pause=$((seconds / 12))
    sleep "$((rest < pause ? rest : pause))"
    kill -0 "$agent_pid" 2>/dev/null || fail "the agent ended."
    last="$(sample)"
    tell <<<"$last"
  done
  figure() { cut -d' ' -f"$2" <<<"$1"; }
  grown() { echo $(($(figure "$last" "$1") - $(figure "$first" "$1"))); }
  [[ $(grown 2) -gt 0 ]] || fail "the app was not started again."
  line "restarts after the warm-up" "$(grown 2)"
  line "processor time a restart" "$(awk -v t="$(($(ticks) - ticks_before))" -v hz="$ticks_a_second" -v n="$(grown 2)" 'BEGIN { printf "%.1f ms", t / hz / n * 1000 }')"
  line "the most memory it ever had (VmHWM)" "$(status_of VmHWM) kB"
  holds "kB grown" "$(grown 4)" "$most_growth"
  holds "descriptors more" "$(grown 5)" "$most_descriptors"
  holds "log lines a crash" "$(awk -v l="$(grown 7)" -v n="$(grown 2)" 'BEGIN { printf "%.2f", l / n }')" "$most_lines"
  line "  log bytes a crash" "$(($(grown 8) / $(grown 2)))"
  holds "bytes of state" "$(figure "$last" 9)" "$most_state"
  echo "--- the log of the last crash"
  tail -n 12 "$work/agent.log"
fi
line "machine" "load $(cut -d' ' -f1-3 /proc/loadavg) after"
((broken == 0)) || fail "a limit does not hold."
