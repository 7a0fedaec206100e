#!/usr/bin/env bash
# Runs RagAgent on this machine: a real Docker Engine and registry, AWS on loopback, and a Streamlit app. Without Streamlit's
# packages (tests/streamlit/README.md), it runs a fake app and says so.
#
#   ./demo.sh            shows it; Ctrl-C ends it and removes everything
#   ./demo.sh --check    proves it point by point, without a terminal; exit code 0 only if everything holds
#   ./demo.sh --native   uses the native binary, as the package does (takes a minute more to build); goes with --check
# shellcheck disable=SC2317 # functions are called by name
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=scripts/stage.sh
source scripts/stage.sh

check=no how=build
for argument; do
  case "$argument" in
    --check) check=yes ;;
    --native) how=publish ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown option $argument. --help lists the options." >&2; exit 64 ;;
  esac
done
say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
command -v dotnet >/dev/null || fail "the .NET SDK 10 is not installed: https://dot.net"

started="${EPOCHREALTIME/./}"
say "Installing what is missing, building the agent and LocalAws …"
begin_stage ragdemo
container="ragstream-${work##*.}"   # several demos may share an engine
container="${container,,}"
[[ $how == build ]] || scripts/apt-install.sh gcc libc6-dev zlib1g-dev
compile "$how" src/RagAgent bin
use_binary "$work/bin/ragagent"

# --- A Docker Engine: this machine's, or a private one.
own_engine=no
at_end() {
  say "Removing everything that the demo created …"
  scripts/engine.sh stop "$work/b"
  [[ $own_engine == no ]] || return 0
  docker rm --force "$container" >/dev/null 2>&1
  remove_images 2>/dev/null
}
if timeout 10 docker info >/dev/null 2>&1; then
  export DOCKER_HOST="${DOCKER_HOST:-unix:///var/run/docker.sock}"
  say "Using the Docker Engine at $DOCKER_HOST."
  engine_data=("$(docker info --format '{{.DockerRootDir}}')" /var/lib/containerd)
else
  start_engine
  own_engine=yes
  say "Started a private Docker Engine at $DOCKER_HOST."
  engine_data=("$work/e")
fi

# --- AWS, with a key in Parameter Store, and the app's image in its registry.
start_aws
streamlit=yes
build_streamlit() { # build_streamlit VERSION: and push it
  # On an engine of its own: the other one must pull, and must not keep layers of the build.
  local builder
  ((EUID == 0)) || { echo "its build needs root."; return 77; }
  builder="$(scripts/engine.sh start "$work/b" | tail -n 1)" || return
  sed "s/^VERSION = .*/VERSION = \"$1\"/" tests/streamlit/demo.py >"$work/demo.py" &&
    tests/streamlit/build.sh --engine "$builder" --tag "$repository:latest" --version 1.67.0 --app "$work/demo.py" &&
    docker --host "$builder" push --quiet "$repository:latest"
}
push_version() { # push_version VERSION
  if [[ $streamlit == yes ]]; then
    local code=0
    build_streamlit "$1" >"$work/push.log" 2>&1 || code=$?
    [[ $code != 0 ]] || return 0
    [[ $code == 75 || $code == 77 ]] || { cat "$work/push.log" >&2; fail "the Streamlit app could not be pushed."; }
    say "This demo runs the fake app instead of Streamlit: $(tail -n 1 "$work/push.log")"
    streamlit=no
  fi
  push_app --version "$1" --base full --ballast 60m
}
say "Building the Streamlit app (takes two minutes the first time) and pushing it to $repository …"
push_version 1
remove_images

# --- The agent, configured as on EC2, except for the port (80 there) and the container's name.
port="$(free_port 8080)"
url="http://localhost:$port/"
cat >"$work/ragagent.json" <<JSON
{
  "image": "ragstream-web",
  "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" },
  "container": { "name": "$container" },
  "listen": { "http": $port },
  "page": { "title": "RAGstream", "details": "full" }
}
JSON
agent() { "$binary" "$@" --runtime-dir "$work/ragagent.run"; }

if [[ $check == no ]]; then
  # Slow enough to watch: 25 MB per second, as between ECR and a small instance.
  "$local_aws" fault set registry:blob throttle --bytes 25000000 --endpoint "$aws_api" >/dev/null
  (
    until serves "$port"; do sleep 0.3; done
    cat <<TEXT

  The app answers on  $url

  Try next, in another terminal:
    curl -i $url
    $binary status --runtime-dir $work/ragagent.run
    docker -H $DOCKER_HOST kill $container        # it comes back
    docker -H $DOCKER_HOST inspect $container     # look for the key
  Ctrl-C here ends the demo and removes everything.

TEXT
  ) &
  stage_pids+=($!)
  say "Running: ragagent run --config $work/ragagent.json"
  "$binary" run --config "$work/ragagent.json" --runtime-dir "$work/ragagent.run" --state-dir "$work/ragagent.state" &
  agent_pid=$!
  stage_pids+=("$agent_pid")
  wait "$agent_pid"
  exit
fi

# --- The proof.
seconds_since() { awk -v from="$1" -v to="${EPOCHREALTIME/./}" 'BEGIN { printf "%.1f s", (to - from) / 1e6 }'; } # seconds_since START
results=() failed=0
prove() { # prove TEXT COMMAND…: notes whether COMMAND succeeded and how long it took
  local start="${EPOCHREALTIME/./}" verdict=yes
  "${@:2}" >"$work/prove.log" 2>&1 || verdict=NO
  results+=("$(printf '%-4s %8s  %s' "$verdict" "$(seconds_since "$start")" "$1")")
  printf '%s\n' "${results[-1]}" >&2
  [[ $verdict == yes ]] || { failed=1; sed 's/^/       | /' "$work/prove.log" >&2; }
}
status_page_is_up() { # 503 and a sentence, before the app serves
  local answer
  answer="$(curl -s --max-time 5 -w '%{http_code}' "$url")"
  echo "$answer"
  [[ "$answer" == *503 ]]
}
# What the app shows: Streamlit sends it through a WebSocket.
shown() {
  if [[ $streamlit == yes ]]; then
    python3 tests/streamlit/record.py "$port" "$work/frames" && cat "$work/frames"
  else
    curl -fs --max-time 5 "$url"
    curl -fs --max-time 5 "${url}key-sha256"
  fi
}
key_arrived() {
  local received expected
  received="$(shown | grep -aoE '[0-9a-f]{64}')"
  expected="$(printf %s "$key" | sha256sum | cut -d' ' -f1)"
  echo "app: $received, Parameter Store: $expected"
  [[ "${received%%[[:space:]]*}" == "$expected" ]]
}
# Wherever the key could have been left: all that the engine stores, every log, and `docker inspect`.
files_with() { # files_with TEXT: prints their names; sockets and files that vanish during the search don't matter
  docker inspect "$container" >"$work/inspect.json"
  printf '%s\0' "${engine_data[@]}" "$work"/{agent.log,aws.log,aws,inspect.json,ragagent.run,ragagent.state} |
    xargs -0 grep -rlaF -D skip -e "$1" 2>/dev/null || true
}
search_works() { [[ -n "$(files_with "$container" | tee /dev/stderr)" ]]; }
key_is_nowhere() { [[ -z "$(files_with "$key" | tee /dev/stderr)" ]]; }
key_is_in_no_command_line() { ! grep -laF -e "$key" /proc/[0-9]*/cmdline 2>/dev/null; }
started_at() { docker inspect --format '{{.State.StartedAt}}' "$container"; }
blobs_served() { "$local_aws" requests --endpoint "$aws_api" --operation registry:blob --count; }
app_was_not_restarted() { [[ "$(started_at)" == "$started_before" ]]; }
nothing_was_pulled() { [[ "$(blobs_served)" == "$served_before" ]]; }
shows_version() { shown | grep -aE "<b id=\"version\">$1</b>|This is version $1\\."; } # shows_version VERSION

start_agent ragagent
prove "the front door answers before the app runs (503 and a status page)" wait_for 20 status_page_is_up
prove "the app answers on its URL with 200" wait_for 120 serves "$port"
prove "the app received the key that is in Parameter Store (SHA-256)" key_arrived
prove "a search of the engine's data, all logs and docker inspect works" search_works
prove "the same search doesn't find the key" key_is_nowhere
prove "no process has the key in its command line" key_is_in_no_command_line
started_before="$(started_at)" served_before="$(blobs_served)"
kill -KILL "$agent_pid"
wait "$agent_pid" 2>/dev/null || true
end_process "$agent_pid"
start_agent ragagent
prove "a killed agent comes back and serves" wait_for 30 serves "$port"
prove "the app was not restarted" app_was_not_restarted
prove "nothing was pulled" nothing_was_pulled
push_version 2
prove "'ragagent update' finds a new image tagged latest" agent update
prove "the new image serves" wait_for 10 shows_version 2
prove "the key is still nowhere" key_is_nowhere
prove "'ragagent status' says that the app serves" agent status

printf '\nheld    took  what\n'
printf '%s\n' "${results[@]}"
printf '\nTotal: %s.\n' "$(seconds_since "$started")"
if [[ $failed == 0 ]]; then echo "Everything holds."; else echo "Not everything holds."; fi
exit "$failed"
