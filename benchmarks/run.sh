#!/usr/bin/env bash
# The front door beside nginx (one worker, keep-alive), on the same app and in the same run; the figures are ratios.
#
#   benchmarks/run.sh [BINARY]    the native binary to look at; without it, the one in the newest package of dist/
#
# Small requests, a download, 500 WebSockets; an update under load, start-first and stop-first; the first answer after a start. With a
# private Docker Engine and a registry on loopback; installs nginx-light and wrk, and removes all that it made. Ends with 1 when a
# limit of docs/benchmarks.md does not hold.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() { echo "benchmarks/run.sh: $*" >&2; exit 1; }

# Short rounds in turn, and what they all took in one pool: what the machine does beside them hits both sides alike.
rounds="${RAGAGENT_BENCH_ROUNDS:-15}"
seconds="${RAGAGENT_BENCH_SECONDS:-2}"
binary="${1:-}"
work="$(mktemp -d /tmp/ragbench.XXXXXX)"
chmod 755 "$work"
pids=()
end_process() { # end_process PID
  kill -TERM "$1" 2>/dev/null || return 0
  for _ in {1..100}; do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}
cleanup() {
  local code=$? pid
  trap - EXIT INT TERM HUP
  set +e
  for pid in "${pids[@]}"; do end_process "$pid"; done
  scripts/engine.sh stop "$work/e"
  [[ $code == 0 || ! -s $work/agent.log ]] || { echo "--- the agent's last lines" >&2; tail -n 20 "$work/agent.log" >&2; }
  rm -rf "$work"
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- The stage.
scripts/apt-install.sh nginx-light wrk docker-registry curl gcc libc6-dev zlib1g-dev iproute2
if ! command -v docker >/dev/null || ! command -v dockerd >/dev/null; then scripts/apt-install.sh docker.io; fi
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
dotnet publish benchmarks/RagAgent.Benchmarks -c Release -o "$work/bench" --artifacts-path "$work/build" -v quiet -nologo >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "the bench does not build."; }
rm -rf "$work/build"
bench="$work/bench/ragagent-benchmarks"
DOCKER_HOST="$(scripts/engine.sh start "$work/e" | tail -n 1)"
export DOCKER_HOST

free_port() { # prints a port that nobody listens on
  local port=$((20000 + RANDOM % 10000))
  while ss --listening --tcp --numeric | grep -q ":$port "; do port=$((port + 1)); done
  echo "$port"
}
registry_port="$(free_port)" door="$(free_port)" nginx_port="$(free_port)" other_door="$(free_port)"
cat >"$work/registry.yml" <<YAML
version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: $work/registry } }
http: { addr: "127.0.0.1:$registry_port" }
YAML
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
pids+=($!)

push() { # push VERSION : the backend as an image, with nothing in it that it does not need
  local tree="$work/image" library
  rm -rf "$tree"
  mkdir -p "$tree/bin"
  cp "$bench" "$tree/bin/bench"
  echo "$1" >"$tree/version"
  # The handshake of a WebSocket is hashed by OpenSSL, which is loaded by name.
  { ldd "$bench" | grep -o '/[^ ]*'; ldconfig -p | sed -n 's/.*lib\(ssl\|crypto\)\.so\.3 .* => //p'; } | while IFS= read -r library; do
    mkdir -p "$tree$(dirname "$library")"
    cp --dereference "$library" "$tree$library"
  done
  printf 'FROM scratch\nCOPY . /\nCMD ["/bin/bench", "backend", "8501"]\n' >"$work/Dockerfile"
  tar --create --directory "$tree" . --transform 's|^\./||' --file "$work/context.tar"
  tar --append --directory "$work" --file "$work/context.tar" Dockerfile
  DOCKER_BUILDKIT=0 docker build --quiet --tag "localhost:$registry_port/bench:latest" - <"$work/context.tar" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "the app's image could not be built."; }
  docker push --quiet "localhost:$registry_port/bench:latest" >/dev/null
}

configure() { # configure FILE NAME PORT MORE
  cat >"$1" <<JSON
{ "image": "localhost:$registry_port/bench", "container": { "name": "$2"$4 }, "listen": { "http": $3 }, "health": { "startup": { "interval": "100ms" } },
  "update": { "every": null, "when": "now", "watch": "1s" } }
JSON
}
start_agent() { # start_agent NAME PORT : sets agent_pid
  "$binary" run --config "$work/$1.json" --runtime-dir "$work/$1.run" --state-dir "$work/$1.state" >>"$work/agent.log" 2>&1 &
  agent_pid=$!
  pids+=("$agent_pid")
  for _ in {1..600}; do
    [[ $(curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$2/") != 200 ]] || return 0
    kill -0 "$agent_pid" 2>/dev/null || fail "the agent ended."
    sleep 0.1
  done
  fail "the app does not serve."
}
memory_of() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
broken=0
holds() { # holds WHAT VALUE le|ge LIMIT
  local verdict=holds
  awk -v v="$2" -v m="$4" -v how="$3" 'BEGIN { exit !(how == "le" ? v <= m : v >= m) }' || { verdict=BROKEN broken=1; }
  printf '%-64s %8s   %s %s: %s\n' "$1" "$2" "$([[ $3 == le ]] && echo 'at most' || echo 'at least')" "$4" "$verdict"
}

push 1
configure "$work/app.json" "bench-${work##*.}" "$door" ''
start_agent app "$door"
app_pid=$agent_pid
backend="$(docker port "bench-${work##*.}" 8501/tcp | head -n 1)"
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
pids+=("$nginx_pid")
for _ in {1..100}; do
  [[ $(curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$nginx_port/") != 200 ]] || break
  sleep 0.1
done
nginx_worker="$(pgrep -P "$nginx_pid")"
printf 'machine: %s cores, load %s; binary: %s; %s; %s\n\n' "$(nproc)" "$(cut -d' ' -f1-3 /proc/loadavg)" "$("$binary" --version)" "$(nginx -v 2>&1)" "$rounds rounds of $seconds s in turn"

in_turn() { # in_turn COMMAND… : each round both sides, the one that begins now the agent, now nginx
  local round
  for ((round = 0; round < rounds; round++)); do
    if ((round % 2 == 0)); then "$@" agent "$door" "$app_pid"; fi
    "$@" nginx "$nginx_port" "$nginx_worker"
    if ((round % 2 == 1)); then "$@" agent "$door" "$app_pid"; fi
  done
}
quantile() { # quantile PART FILE : of lines 'MICROSECONDS COUNT', in ms
  sort -n "$2" | awk -v part="$1" '{ v[NR] = $1; c[NR] = $2; all += $2 } END { for (i = 1; i <= NR; i++) { seen += c[i]; if (seen >= all * part) { printf "%.2f", v[i] / 1000; exit } } }'
}

# --- Small requests: 32 connections that are kept.
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
small() { # small SIDE PORT : adds to the side's rates and times
  wrk --threads 1 --connections 32 --duration "${seconds}s" --script "$work/small.lua" "http://127.0.0.1:$2/" >"$work/wrk"
  awk '$1 == "took" { print $2, $3 }' "$work/wrk" >>"$work/small.$1"
  awk '$1 == "made" { print $2 * 1000000 / $3; exit $4 > 0 }' "$work/wrk" >>"$work/rate.$1" || fail "requests failed: $(cat "$work/wrk")"
}
small warm "$door"; small warm "$nginx_port"
in_turn small
agent_rate="$(median <"$work/rate.agent")" nginx_rate="$(median <"$work/rate.nginx")"
agent_p99="$(quantile 0.99 "$work/small.agent")" nginx_p99="$(quantile 0.99 "$work/small.nginx")"
echo "small requests: agent $agent_rate/s, p50 $(quantile 0.5 "$work/small.agent") ms, p99 $agent_p99 ms; nginx $nginx_rate/s, p50 $(quantile 0.5 "$work/small.nginx") ms, p99 $nginx_p99 ms"
holds "small requests, throughput beside nginx" "$(ratio "$agent_rate" "$nginx_rate")" ge 0.6
holds "small requests, p99 beside nginx" "$(ratio "$agent_p99" "$nginx_p99")" le 1.5

# --- A download of 100 MB.
large() { # large SIDE PORT
  local _
  for _ in 1 2; do curl --silent --fail --output /dev/null --write-out '%{speed_download}\n' "http://127.0.0.1:$2/large" >>"$work/large.$1"; done
}
large warm "$door"; large warm "$nginx_port"
in_turn large
echo "download: agent $(median <"$work/large.agent" | awk '{ printf "%.0f", $1 / 1e6 }') MB/s; nginx $(median <"$work/large.nginx" | awk '{ printf "%.0f", $1 / 1e6 }') MB/s"
holds "download of 100 MB, speed beside nginx" "$(ratio "$(median <"$work/large.agent")" "$(median <"$work/large.nginx")")" ge 0.9

# --- 500 WebSockets, ten echoes a second each.
sockets() { # sockets SIDE PORT PID : adds to the side's times, and to the kB of the proxy's memory for each
  local before after open client
  before="$(memory_of "$3")"
  coproc CLIENT { "$bench" sockets "ws://127.0.0.1:$2/echo" 500 "$seconds"; }
  client=$CLIENT_PID   # gone from the shell as soon as it has ended
  read -r open <&"${CLIENT[0]}"
  [[ $open == open ]] || fail "the WebSockets could not be opened."
  after="$(memory_of "$3")"
  echo >&"${CLIENT[1]}"
  cat <&"${CLIENT[0]}" >>"$work/sockets.$1"
  wait "$client" 2>/dev/null || true
  awk -v b="$before" -v a="$after" 'BEGIN { printf "%.1f\n", (a - b) / 500 }' >>"$work/memory.$1"
}
in_turn sockets
agent_p99="$(quantile 0.99 "$work/sockets.agent")" nginx_p99="$(quantile 0.99 "$work/sockets.nginx")"
# Memory is asked for once; the later rounds find it.
echo "500 WebSockets: agent p50 $(quantile 0.5 "$work/sockets.agent") ms, p99 $agent_p99 ms, $(head -n 1 "$work/memory.agent") kB a connection; nginx p50 $(quantile 0.5 "$work/sockets.nginx") ms, p99 $nginx_p99 ms, $(head -n 1 "$work/memory.nginx") kB"
holds "500 WebSockets, p99 beside nginx" "$(ratio "$agent_p99" "$nginx_p99")" le 1.5

# --- An update under load.
swap() { # swap NAME PORT VERSION : prints requests, failures and the longest in ms
  push "$3"
  wrk --threads 1 --connections 16 --duration 20s --timeout 60s --latency "http://127.0.0.1:$2/" >"$work/swap" &
  local load=$!
  "$binary" update --runtime-dir "$work/$1.run" >"$work/update" 2>&1 || { cat "$work/update" >&2; fail "the update failed."; }
  wait "$load"
  awk 'function ms(text) { return text ~ /us$/ ? text / 1000 : text ~ /ms$/ ? text + 0 : text * 1000 }
    $1 == "Latency" && $2 != "Distribution" { worst = ms($4) } /requests in/ { all = $1 } /Non-2xx/ { bad += $NF } /Socket errors/ { gsub(",", ""); bad += $4 + $6 + $8 + $10 } END { printf "%d %d %.0f\n", all, bad, worst }' "$work/swap"
}
read -r all bad worst < <(swap app "$door" 2)
echo "start-first update under load: $all requests, the longest $worst ms"
holds "start-first, failed requests" "$bad" le 0
mkdir -p "$work/data"
configure "$work/data.json" "data-${work##*.}" "$other_door" ", \"volumes\": [ { \"host\": \"$work/data\", \"container\": \"/data\" } ]"
start_agent data "$other_door"
read -r all bad worst < <(swap data "$other_door" 3)
echo "stop-first update under load: $all requests, the longest hold $worst ms"
holds "stop-first, failed requests" "$bad" le 0

# --- The first answer after a start.
first_door="$(free_port)"
configure "$work/first.json" "first-${work##*.}" "$first_door" ''
for _ in {1..5}; do
  "$bench" first-byte "http://127.0.0.1:$first_door/" "$binary" run --config "$work/first.json" --runtime-dir "$work/first.run" --state-dir "$work/first.state" 2>&1 | grep -E '^[0-9]+ [0-9]{3}$' >>"$work/first"
done
echo "first answer after the start: $(cut -d' ' -f1 "$work/first" | median) ms (status $(head -n 1 "$work/first" | cut -d' ' -f2))"
holds "first answer after the start, ms" "$(cut -d' ' -f1 "$work/first" | median)" le 1000

printf '\nload after: %s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
((broken == 0)) || fail "a limit does not hold."
