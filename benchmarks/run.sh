#!/usr/bin/env bash
# Usage: benchmarks/run.sh [BINARY]
# Compares the front door with nginx (one worker, keep-alive), in front of the same app and in the same run.
# BINARY is the native binary to test, by default the one in the newest package of dist/.
#
# Small requests, a download, 500 WebSockets; an update under load, start-first and stop-first; the first answer after a
# start. Exits with 1 when a limit of docs/benchmarks.md is exceeded. Installs nginx-light and wrk, uses a private Docker
# Engine and a registry on loopback, and removes everything else afterwards.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/stage.sh
source scripts/stage.sh

# Short alternating rounds: other load on the machine hits both sides alike.
rounds="${RAGAGENT_BENCHMARK_ROUNDS:-15}"
seconds="${RAGAGENT_BENCHMARK_SECONDS:-2}"
begin_stage ragbench
chmod 755 "$work"   # nginx's worker runs as another user
scripts/apt-install.sh nginx-light wrk jq gcc libc6-dev zlib1g-dev
use_binary "${1:-}"
compile publish benchmarks/RagAgent.Benchmarks tools
tools="$work/tools/ragagent-benchmarks"
start_engine
start_registry "$work"
stage_pids+=("$registry_pid")
image="$registry/benchmark:latest"

push() { # push VERSION: the backend as an image that has nothing else in it
  local tree="$work/image" library
  rm -rf "$tree"
  mkdir -p "$tree/bin"
  cp "$tools" "$tree/bin/backend"
  echo "$1" >"$tree/version"
  # OpenSSL hashes the handshake of a WebSocket. It is loaded by name, so ldd doesn't show it.
  { ldd "$tools" | grep -o '/[^ ]*'; ldconfig -p | sed -n 's/.*lib\(ssl\|crypto\)\.so\.3 .* => //p'; } | while IFS= read -r library; do
    mkdir -p "$tree$(dirname "$library")"
    cp --dereference "$library" "$tree$library"
  done
  printf 'FROM scratch\nCOPY . /\nCMD ["/bin/backend", "backend", "8501"]\n' >"$tree/Dockerfile"
  { DOCKER_BUILDKIT=0 docker build --quiet --tag "$image" "$tree" && docker push --quiet "$image"; } >"$work/push.log" 2>&1 ||
    { cat "$work/push.log" >&2; fail "the app's image could not be pushed."; }
}

configure() { # configure NAME PORT [MORE]: writes $work/NAME.json; MORE are keys of `container`
  cat >"$work/$1.json" <<JSON
{ "image": "${image%:*}", "container": { "name": "$1-${work##*.}"${3:-} }, "listen": { "http": $2 },
  "health": { "startup": { "interval": "100ms" } }, "update": { "every": null, "when": "now", "watch": "1s" } }
JSON
}
serve() { # serve NAME PORT: starts an agent, and returns when its app serves
  start_agent "$1"
  wait_for 60 serves "$2"
}
memory_of() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; } # memory_of PID: kB
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
quantile() { # quantile FRACTION FILE: of lines 'MICROSECONDS COUNT', in ms
  sort -n "$2" | awk -v fraction="$1" '{ v[NR] = $1; c[NR] = $2; all += $2 }
    END { for (i = 1; i <= NR; i++) { seen += c[i]; if (seen >= all * fraction) { printf "%.2f", v[i] / 1000; exit } } }'
}
exceeded=0
check_limit() { # check_limit WHAT VALUE le|ge LIMIT
  local verdict=ok bound='at most'
  [[ $3 == le ]] || bound='at least'
  awk -v value="$2" -v limit="$4" -v how="$3" 'BEGIN { exit !(how == "le" ? value <= limit : value >= limit) }' ||
    { verdict=EXCEEDED exceeded=1; }
  printf '%-64s %8s   %s %s: %s\n' "$1" "$2" "$bound" "$4" "$verdict"
}

door="$(random_port)" nginx_port="$(random_port)"
push 1
configure app "$door"
serve app "$door"
app_agent="$agent_pid"
backend="$(docker port "app-${work##*.}" 8501/tcp | head -n 1)"
cat >"$work/nginx.conf" <<CONF
worker_processes 1;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path $work/nginx-body;
  proxy_temp_path $work/nginx-proxy;
  fastcgi_temp_path $work/nginx-f; uwsgi_temp_path $work/nginx-u; scgi_temp_path $work/nginx-s;
  keepalive_requests 100000000;
  map \$http_upgrade \$connection_upgrade { default upgrade; '' ''; }
  upstream app { server $backend; keepalive 128; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:$nginx_port backlog=4096;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Host \$http_host;
      proxy_set_header Upgrade \$http_upgrade;
      proxy_set_header Connection \$connection_upgrade;
      proxy_set_header X-Forwarded-For \$remote_addr;
      proxy_read_timeout 1d;
    }
  }
}
CONF
nginx -c "$work/nginx.conf" &
nginx_pid=$!
stage_pids+=("$nginx_pid")
wait_until 100 serves "$nginx_port" || fail "nginx did not start: $(cat "$work/nginx.log")"
nginx_worker="$(pgrep -P "$nginx_pid")"
printf 'machine: %s cores, load %s; binary: %s; %s; %s alternating rounds of %s s\n\n' "$(nproc)" \
  "$(cut -d' ' -f1-3 /proc/loadavg)" "$("$binary" --version)" "$(nginx -v 2>&1)" "$rounds" "$seconds"

alternate() { # alternate COMMAND…: runs COMMAND SIDE PORT PID for both sides in each round, and changes which one is first
  local round
  for ((round = 0; round < rounds; round++)); do
    if ((round % 2 == 0)); then "$@" agent "$door" "$app_agent"; fi
    "$@" nginx "$nginx_port" "$nginx_worker"
    if ((round % 2 == 1)); then "$@" agent "$door" "$app_agent"; fi
  done
}

# --- Small requests over 32 keep-alive connections.
cat >"$work/small.lua" <<'LUA'
done = function(summary, latency)
  for i = 1, #latency do
    local value, count = latency(i)
    print("took", value, count)
  end
  local errors = summary.errors
  print("made", summary.requests, summary.duration, errors.connect + errors.read + errors.write + errors.status + errors.timeout)
end
LUA
small() { # small SIDE PORT: appends to small.SIDE and rate.SIDE
  wrk --threads 1 --connections 32 --duration "${seconds}s" --script "$work/small.lua" "http://127.0.0.1:$2/" >"$work/wrk"
  awk '$1 == "took" { print $2, $3 }' "$work/wrk" >>"$work/small.$1"
  awk '$1 == "made" { print $2 * 1000000 / $3; exit $4 > 0 }' "$work/wrk" >>"$work/rate.$1" || fail "requests failed: $(cat "$work/wrk")"
}
small warm-up "$door"; small warm-up "$nginx_port"
alternate small
agent_rate="$(median <"$work/rate.agent")" nginx_rate="$(median <"$work/rate.nginx")"
agent_p50="$(quantile 0.5 "$work/small.agent")" nginx_p50="$(quantile 0.5 "$work/small.nginx")"
agent_p99="$(quantile 0.99 "$work/small.agent")" nginx_p99="$(quantile 0.99 "$work/small.nginx")"
echo "small requests: agent $agent_rate/s, p50 $agent_p50 ms, p99 $agent_p99 ms;" \
  "nginx $nginx_rate/s, p50 $nginx_p50 ms, p99 $nginx_p99 ms"
check_limit "small requests, throughput compared with nginx" "$(ratio "$agent_rate" "$nginx_rate")" ge 0.6
check_limit "small requests, p99 compared with nginx" "$(ratio "$agent_p99" "$nginx_p99")" le 1.5

# --- A download of 100 MB.
large() { # large SIDE PORT: appends to large.SIDE
  local _
  for _ in 1 2; do
    curl --silent --fail --output /dev/null --write-out '%{speed_download}\n' "http://127.0.0.1:$2/large" >>"$work/large.$1"
  done
}
large warm-up "$door"; large warm-up "$nginx_port"
alternate large
agent_speed="$(median <"$work/large.agent")" nginx_speed="$(median <"$work/large.nginx")"
awk -v a="$agent_speed" -v n="$nginx_speed" 'BEGIN { printf "download: agent %.0f MB/s; nginx %.0f MB/s\n", a / 1e6, n / 1e6 }'
check_limit "download of 100 MB, speed compared with nginx" "$(ratio "$agent_speed" "$nginx_speed")" ge 0.9

# --- 500 WebSockets, ten echoes per second each.
sockets() { # sockets SIDE PORT PID: appends to sockets.SIDE, and kB of PID's memory per connection to memory.SIDE
  local before after opened client
  before="$(memory_of "$3")"
  coproc CLIENT { "$tools" sockets "ws://127.0.0.1:$2/echo" 500 "$seconds"; }
  client=$CLIENT_PID   # bash unsets it as soon as the process has ended
  read -r opened <&"${CLIENT[0]}"
  [[ $opened == open ]] || fail "the WebSockets could not be opened."
  after="$(memory_of "$3")"
  echo >&"${CLIENT[1]}"
  cat <&"${CLIENT[0]}" >>"$work/sockets.$1"
  wait "$client" 2>/dev/null || true
  awk -v b="$before" -v a="$after" 'BEGIN { printf "%.1f\n", (a - b) / 500 }' >>"$work/memory.$1"
}
alternate sockets
agent_p50="$(quantile 0.5 "$work/sockets.agent")" nginx_p50="$(quantile 0.5 "$work/sockets.nginx")"
agent_p99="$(quantile 0.99 "$work/sockets.agent")" nginx_p99="$(quantile 0.99 "$work/sockets.nginx")"
# Later rounds reuse the memory of the first one.
echo "500 WebSockets: agent p50 $agent_p50 ms, p99 $agent_p99 ms, $(head -n 1 "$work/memory.agent") kB per connection;" \
  "nginx p50 $nginx_p50 ms, p99 $nginx_p99 ms, $(head -n 1 "$work/memory.nginx") kB per connection"
check_limit "500 WebSockets, p99 compared with nginx" "$(ratio "$agent_p99" "$nginx_p99")" le 1.5

# --- An update under load.
update_under_load() { # update_under_load NAME PORT VERSION: prints requests, failures and the longest in ms
  push "$3"
  wrk --threads 1 --connections 16 --duration 20s --timeout 60s --latency "http://127.0.0.1:$2/" >"$work/load" &
  local load=$!
  "$binary" update --runtime-dir "$work/$1.run" >"$work/update" 2>&1 || { cat "$work/update" >&2; fail "the update failed."; }
  wait "$load"
  awk 'function ms(text) { return text ~ /us$/ ? text / 1000 : text ~ /ms$/ ? text + 0 : text * 1000 }
    $1 == "Latency" && $2 != "Distribution" { longest = ms($4) }
    /requests in/ { all = $1 }
    /Non-2xx/ { failed += $NF }
    /Socket errors/ { gsub(",", ""); failed += $4 + $6 + $8 + $10 }
    END { printf "%d %d %.0f\n", all, failed, longest }' "$work/load"
}
read -r all failed longest < <(update_under_load app "$door" 2)
echo "start-first update under load: $all requests, the longest $longest ms"
check_limit "start-first, failed requests" "$failed" le 0
# A shared writable volume makes the update stop-first.
mkdir -p "$work/data"
other_door="$(random_port)"
configure data "$other_door" ", \"volumes\": [ { \"host\": \"$work/data\", \"container\": \"/data\" } ]"
serve data "$other_door"
read -r all failed longest < <(update_under_load data "$other_door" 3)
echo "stop-first update under load: $all requests, the longest hold $longest ms"
check_limit "stop-first, failed requests" "$failed" le 0

# --- The first answer after a start.
first_door="$(random_port)"
configure first "$first_door"
for _ in {1..5}; do
  "$tools" first-byte "http://127.0.0.1:$first_door/" "$binary" run --config "$work/first.json" \
    --runtime-dir "$work/first.run" --state-dir "$work/first.state" 2>&1 | grep -E '^[0-9]+ [0-9]{3}$' >>"$work/first"
done
first_answer="$(cut -d' ' -f1 "$work/first" | median)"
echo "first answer after the start: $first_answer ms (status $(head -n 1 "$work/first" | cut -d' ' -f2))"
check_limit "first answer after the start, ms" "$first_answer" le 1000

printf '\nload after: %s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
((exceeded == 0)) || fail "a limit is exceeded."
