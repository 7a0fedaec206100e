#!/usr/bin/env bash
# Usage: scripts/measure.sh [BINARY]
# Measures a native binary, by default the one in the newest package of dist/: its size, the time of `ragagent --version`,
# the memory two minutes after the app serves, and the time from exec to listening and to serving.
# Takes four minutes. Uses LocalAws, a private Docker Engine and the fake app, and removes everything afterwards.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/stage.sh
source scripts/stage.sh

settle=120 starts=20
begin_stage ragmeasure
scripts/apt-install.sh hyperfine
use_binary "${1:-}"
start_engine
start_aws
push_app --ballast 60m
remove_images
port="$(random_port)"
cat >"$work/app.json" <<JSON
{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" }, "listen": { "http": $port } }
JSON

listens() { : 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null
milliseconds_until() { # milliseconds_until START CONDITION…: polls without a pause, and prints the time since START
  until "${@:2}"; do
    ! has_ended "$agent_pid" || fail "the agent has ended."
  done
  echo $(((${EPOCHREALTIME/./} - $1) / 1000))
}
spread() { # spread FILE: median, minimum and maximum of one number per line
  sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%d ms (%d to %d, %d starts)\n", v[int((NR + 1) / 2)], v[1], v[NR], NR }'
}
process_status() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$agent_pid/status"; }
memory() { awk -v kib="$(process_status "$1")" 'BEGIN { printf "%.1f MiB", kib / 1024 }'; }
report() { printf '%-46s%s\n' "$1" "$2"; }

report "machine" "$(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before"
report "$("$binary" --version): size" "$(stat --format=%s "$binary") bytes"
hyperfine -N --warmup 5 --runs 100 --style none --export-csv "$work/version.csv" "$binary --version" >/dev/null 2>&1
report "ragagent --version" "$(tail -n 1 "$work/version.csv" |
  awk -F, '{ printf "%.1f ms ± %.1f (%.1f to %.1f, 100 runs)", $2 * 1000, $3 * 1000, $7 * 1000, $8 * 1000 }')"

start_agent app
wait_for 120 serves "$port"
sleep "$settle"
serves "$port" || fail "the app no longer serves."
report "memory ${settle} s after the app serves: VmRSS" "$(memory VmRSS)"
report "  of which RssAnon" "$(memory RssAnon)"
report "  of which RssFile" "$(memory RssFile)"
report "  peak (VmHWM)" "$(memory VmHWM)"
report "  threads" "$(process_status Threads)"
end_process "$agent_pid"

# The app keeps running, so each of these starts adopts it.
for ((run = 0; run < starts; run++)); do
  start="${EPOCHREALTIME/./}"
  start_agent app
  milliseconds_until "$start" listens >>"$work/listening"
  milliseconds_until "$start" serves "$port" >>"$work/serving"
  end_process "$agent_pid"
done
report "from exec to listening" "$(spread "$work/listening")"
report "from exec to serving the running app again" "$(spread "$work/serving")"
report "machine" "load $(cut -d' ' -f1-3 /proc/loadavg) after"
