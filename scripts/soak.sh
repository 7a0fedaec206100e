#!/usr/bin/env bash
# Usage: scripts/soak.sh steady|loop [SECONDS] [BINARY]
# Measures what a native binary uses in a long run, and fails when a limit is exceeded.
#   steady   a healthy app and the default intervals (600 s): CPU time, log lines, memory
#   loop     an app that exits at once and is restarted every 100 ms (3600 s): memory, file descriptors, log, state file
# BINARY defaults to the one in the newest package of dist/. CPU time is counted, so other load doesn't change the verdict.
# Uses LocalAws, a private Docker Engine and the fake app, and removes everything afterwards.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/stage.sh
source scripts/stage.sh

mode="${1:-}"
case "$mode" in
  steady) seconds="${2:-600}" ;;
  loop) seconds="${2:-3600}" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac
[[ $seconds =~ ^[1-9][0-9]+$ && $seconds -ge 60 ]] || fail "SECONDS is '$seconds'. It must be a whole number, 60 or more."

max_cpu=0.2          # percent of one core
max_growth=4096      # kB of anonymous memory, after the warm-up
max_descriptors=8    # more than after the warm-up: connections come and go
max_lines=12         # per crash
max_state=4096       # bytes

begin_stage ragsoak
use_binary "${3:-}"
start_engine
start_aws
push_app --base light
port="$(random_port)"
if [[ $mode == steady ]]; then
  # A short trial, so that it is over before the measurement begins.
  more='"update": { "watch": "1s" }'
else
  more='"environment": { "FAKE_APP_EXIT_CODE": "3" }, "restart": { "firstDelay": "100ms", "maxDelay": "100ms" }'
fi
cat >"$work/app.json" <<JSON
{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" }, "listen": { "http": $port },
  "health": { "gate": { "webSocket": null } }, $more }
JSON

# --- Measurements.
ticks_per_second="$(getconf CLK_TCK)"
cpu_ticks() { # The process name may contain blanks, so this counts fields after its closing parenthesis.
  sed 's/.*) //' "/proc/$agent_pid/stat" | awk '{ print $12 + $13 }'
}
process_status() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$agent_pid/status"; }
descriptors() { find "/proc/$agent_pid/fd" -mindepth 1 -maxdepth 1 | wc -l; }
log_lines() { wc -l <"$work/agent.log"; }
agent_status() { "$binary" status --json --runtime-dir "$work/app.run" 2>/dev/null || true; }
crashes() { agent_status | sed -n 's/.*"crashes": \([0-9]*\).*/\1/p'; }
state_bytes() { find "$work/app.state" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'; }
trial_is_over() { [[ "$(agent_status)" == *'"phase": "settled"'* ]]; }
crash_loop_runs() { [[ $(crashes) -ge 5 ]]; }
report() { printf '%-46s%s\n' "$1" "$2"; }
exceeded=0
check_limit() { # check_limit WHAT VALUE LIMIT
  local verdict=ok
  awk -v value="$2" -v limit="$3" 'BEGIN { exit !(value <= limit) }' || { verdict=EXCEEDED exceeded=1; }
  report "  limit $3" "$verdict: $2 $1"
}

report "machine" "$(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before"
report "binary" "$("$binary" --version)"
start_agent app

run_steady() {
  wait_for 120 serves "$port"
  wait_for 60 trial_is_over
  sleep 2   # The log line may follow the status.
  local lines_before ticks_before start rss anon ticks elapsed_ms
  lines_before="$(log_lines)" ticks_before="$(cpu_ticks)" start="${EPOCHREALTIME/./}"
  rss="$(process_status VmRSS)" anon="$(process_status RssAnon)"
  sleep "$seconds"
  serves "$port" || fail "the app no longer serves."
  ticks=$(($(cpu_ticks) - ticks_before)) elapsed_ms=$(((${EPOCHREALTIME/./} - start) / 1000))
  report "measured over" "$((elapsed_ms / 1000)) s"
  report "CPU time" "$(awk -v t="$ticks" -v hz="$ticks_per_second" 'BEGIN { printf "%.2f s", t / hz }')"
  check_limit "percent of one core" "$(awk -v t="$ticks" -v hz="$ticks_per_second" -v ms="$elapsed_ms" \
    'BEGIN { printf "%.3f", t / hz / (ms / 1000) * 100 }')" "$max_cpu"
  report "memory (VmRSS, kB)" "$rss, then $(process_status VmRSS)"
  report "  of which RssAnon (kB)" "$anon, then $(process_status RssAnon)"
  report "file descriptors" "$(descriptors)"
  check_limit "log lines" "$(($(log_lines) - lines_before))" 0
}

sample() { # prints: seconds, crashes, VmRSS, RssAnon, descriptors, threads, log lines, log bytes, state bytes
  echo "$((SECONDS - start)) $(crashes) $(process_status VmRSS) $(process_status RssAnon) $(descriptors)" \
    "$(process_status Threads) $(log_lines) $(stat --format=%s "$work/agent.log") $(state_bytes)"
}
print_sample() {
  awk '{ printf "%6d s %6d crashes  VmRSS %6d kB  RssAnon %6d kB  %3d descriptors  ", $1, $2, $3, $4, $5
         printf "%2d threads  %7d lines  state %d bytes\n", $6, $7, $9 }'
}
run_loop() {
  wait_for 120 crash_loop_runs
  local start=$SECONDS warm_up=$((seconds / 10 < 300 ? seconds / 10 : 300)) first last ticks_before left pause
  sleep "$warm_up"
  first="$(sample)"
  print_sample <<<"$first"
  ticks_before="$(cpu_ticks)"
  while ((SECONDS - start < seconds)); do
    left=$((seconds - SECONDS + start)) pause=$((seconds / 12))
    sleep "$((left < pause ? left : pause))"
    ! has_ended "$agent_pid" || fail "the agent has ended."
    last="$(sample)"
    print_sample <<<"$last"
  done
  field() { cut -d' ' -f"$2" <<<"$1"; }
  growth() { echo $(($(field "$last" "$1") - $(field "$first" "$1"))); }
  [[ $(growth 2) -gt 0 ]] || fail "the app was not restarted."
  report "restarts after the warm-up" "$(growth 2)"
  report "CPU time per restart" "$(awk -v t="$(($(cpu_ticks) - ticks_before))" -v hz="$ticks_per_second" -v n="$(growth 2)" \
    'BEGIN { printf "%.1f ms", t / hz / n * 1000 }')"
  report "peak memory (VmHWM)" "$(process_status VmHWM) kB"
  check_limit "kB of growth" "$(growth 4)" "$max_growth"
  check_limit "more descriptors" "$(growth 5)" "$max_descriptors"
  check_limit "log lines per crash" "$(awk -v l="$(growth 7)" -v n="$(growth 2)" 'BEGIN { printf "%.2f", l / n }')" "$max_lines"
  report "  log bytes per crash" "$(($(growth 8) / $(growth 2)))"
  check_limit "bytes of state" "$(field "$last" 9)" "$max_state"
  echo "--- the log of the last crash"
  tail -n 12 "$work/agent.log"
}

"run_$mode"
report "machine" "load $(cut -d' ' -f1-3 /proc/loadavg) after"
((exceeded == 0)) || fail "a limit is exceeded."
