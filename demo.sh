#!/usr/bin/env bash
# The main job on this machine: AWS on loopback, a real registry and a real Docker Engine, a stand-in for the Streamlit
# app, and the agent that brings it up.
#
#   ./demo.sh            shows it; Ctrl-C ends it and removes all it made
#   ./demo.sh --check    without a terminal: proves it point by point, exit code 0 only if all holds
#   ./demo.sh --native   with the native binary that the package ships (a minute more to build); goes with --check too
# shellcheck disable=SC2317 # functions are called by traps and by name
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$here"

check=no native=no
for argument; do
  case "$argument" in
    --check) check=yes ;;
    --native) native=yes ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown option $argument. --help lists the options." >&2; exit 64 ;;
  esac
done

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { echo "demo.sh: $*" >&2; exit 1; }
now() { date +%s.%N; }

# Everything lives below one short folder (a socket's path may have 108 characters) and ends with it.
work="$(mktemp -d /tmp/ragdemo.XXXXXX)"
started="$(now)"
agent_pid='' aws_pid='' waiter_pid='' own_engine=no container='' repository=''

end_process() { # end_process PID
  [[ -n "$1" ]] || return 0
  kill -TERM "$1" 2>/dev/null || return 0
  for _ in {1..100}; do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}

cleanup() {
  local code=$?
  trap - EXIT INT TERM HUP
  set +e
  say "Removing what the demo made …"
  end_process "$waiter_pid"
  end_process "$agent_pid"
  if [[ "$own_engine" == yes ]]; then
    scripts/engine.sh stop "$work/e"
  elif [[ -n "$container" ]]; then
    docker rm -f "$container" >/dev/null 2>&1
    docker images --format '{{.ID}}' "$repository" 2>/dev/null | sort -u | xargs -r docker rmi -f >/dev/null 2>&1
  fi
  end_process "$aws_pid"
  if [[ $code -ne 0 && $code -ne 130 && -s "$work/agent.log" ]]; then
    echo "--- the agent's last lines" >&2
    tail -n 20 "$work/agent.log" >&2
  fi
  rm -rf "$work"
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- what the demo needs -------------------------------------------------------------------------------------------
say "Installing what is missing, building the agent and LocalAws …"
command -v dotnet >/dev/null || fail "the .NET SDK 10 is needed: https://dot.net"
packages=(docker-registry debootstrap busybox-static curl ca-certificates iproute2)
command -v docker >/dev/null && command -v dockerd >/dev/null || packages+=(docker.io)
scripts/apt-install.sh "${packages[@]}"

# A build of its own folder: two demos side by side don't write to the same files.
dotnet publish tests/LocalAws -c Release -o "$work/local-aws" --artifacts-path "$work/build" -v quiet -nologo >"$work/build.log" 2>&1 ||
  { cat "$work/build.log" >&2; fail "LocalAws does not build"; }
how=build
[[ "$native" == no ]] || { scripts/apt-install.sh gcc libc6-dev zlib1g-dev; how=publish; }
dotnet "$how" src/RagAgent -c Release -o "$work/bin" --artifacts-path "$work/build" -v quiet -nologo >"$work/build.log" 2>&1 ||
  { cat "$work/build.log" >&2; fail "the agent does not build"; }
rm -rf "$work/build"
ragagent="$work/bin/ragagent"
local_aws="$work/local-aws/local-aws"

# ---- a Docker Engine -----------------------------------------------------------------------------------------------
export DOCKER_CONFIG="$work/docker-config"
mkdir -p "$DOCKER_CONFIG"
if timeout 10 docker info >/dev/null 2>&1; then
  DOCKER_HOST="${DOCKER_HOST:-unix:///var/run/docker.sock}"
  say "Using the Docker Engine at $DOCKER_HOST."
  engine_data=("$(docker info --format '{{.DockerRootDir}}')" /var/lib/containerd)
else
  DOCKER_HOST="$(scripts/engine.sh start "$work/e" | tail -n 1)"
  own_engine=yes
  say "Started a private Docker Engine at $DOCKER_HOST."
  engine_data=("$work/e")
fi
export DOCKER_HOST
container="ragstream-${work##*.}"
container="${container,,}"

# ---- AWS on loopback, with a key in Parameter Store ----------------------------------------------------------------
# The agent must find this AWS only: no credentials of the person who runs the demo, and no real metadata service.
unset "${!AWS_@}"
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
key="sk-demo-$(head -c 24 /dev/urandom | base64 | tr -d '+/=')"
mkdir -m 700 "$work/secret"
printf '%s\n' "$key" >"$work/secret/key"
"$local_aws" serve --state-dir "$work/aws" --ready-file "$work/aws.json" --parameter "/ragstream/OPENAI_API_KEY=@$work/secret/key" \
  >"$work/aws.log" 2>&1 &
aws_pid=$!
for _ in {1..150}; do
  [[ -s "$work/aws.json" ]] && break
  kill -0 "$aws_pid" 2>/dev/null || { cat "$work/aws.log" >&2; fail "LocalAws ended"; }
  sleep 0.1
done
value() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$work/aws.json" | head -n 1; }
api="$(value apiEndpoint)"
registry="$(value registryHost)"
[[ -n "$api" && -n "$registry" ]] || fail "LocalAws did not come up: $(cat "$work/aws.log")"
unset AWS_EC2_METADATA_DISABLED
export AWS_EC2_METADATA_SERVICE_ENDPOINT="$api" AWS_ENDPOINT_URL_SSM="$api" AWS_ENDPOINT_URL_ECR="$api" AWS_ENDPOINT_URL_EC2="$api"
repository="$registry/ragstream-web"

# ---- the app's image, pushed as CI would ---------------------------------------------------------------------------
push() { # push VERSION
  tests/fake-app/build.sh --engine "$DOCKER_HOST" --tag "$repository:latest" --version "$1" --base full --ballast 60m >"$work/image.log" 2>&1 ||
    { cat "$work/image.log" >&2; fail "the stand-in image does not build"; }
  docker push -q "$repository:latest" >/dev/null
}
say "Building the stand-in for the Streamlit app (the first time takes a minute) and pushing it to $repository …"
docker login -u "$(value dockerUser)" --password-stdin "$registry" <"$(value dockerPasswordFile)" >/dev/null 2>&1
push 1
# The agent shall pull it: what the build left on the engine goes.
docker images --format '{{.ID}}' "$repository" | sort -u | xargs -r docker rmi -f >/dev/null

# ---- the agent -----------------------------------------------------------------------------------------------------
free_port() { # the first of some ports that nobody listens on
  local port
  for port in 8080 {18080..18180}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  fail "no free port between 18080 and 18180"
}
port="$(free_port)"
url="http://localhost:$port/"
# As on EC2, but for the port (80 there) and the container's name (several demos may share an engine).
cat >"$work/ragagent.json" <<JSON
{
  "image": "ragstream-web",
  "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" },
  "container": { "name": "$container" },
  "listen": { "http": $port },
  "page": { "title": "RAGstream", "details": "full" }
}
JSON
agent() { "$ragagent" "$@" --runtime-dir "$work/run"; }
answers() { curl -fs -o /dev/null --max-time 5 "$url"; }
wait_for() { # wait_for SECONDS COMMAND…
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < until)) || return 1
    kill -0 "$agent_pid" 2>/dev/null || return 1
    sleep 0.2
  done
}

if [[ "$check" == no ]]; then
  # Slow enough to watch: 25 MB in a second, as between ECR and a small instance.
  "$local_aws" fault set registry:blob throttle --bytes 25000000 --endpoint "$api" >/dev/null
  (
    until answers; do sleep 0.3; done
    cat <<TEXT

  The app answers on  $url

  Try next, in another terminal:
    curl -i $url
    $ragagent status --runtime-dir $work/run
    docker -H $DOCKER_HOST kill $container        # it comes back
    docker -H $DOCKER_HOST inspect $container     # look for the key
  Ctrl-C here ends the demo and removes all of it.

TEXT
  ) &
  waiter_pid=$!
  say "Running: ragagent run --config $work/ragagent.json"
  "$ragagent" run --config "$work/ragagent.json" --runtime-dir "$work/run" --state-dir "$work/state" &
  agent_pid=$!
  wait "$agent_pid"
  exit
fi

# ---- the proof -----------------------------------------------------------------------------------------------------
proven=() failed=0
prove() { # prove TEXT COMMAND… : runs it, notes whether it held and how long it took
  local text="$1" from result
  shift
  from="$(now)"
  if "$@" >"$work/prove.log" 2>&1; then
    result=yes
  else
    result=NO
    failed=1
  fi
  local took
  took="$(awk -v a="$from" -v b="$(now)" 'BEGIN { printf "%.1f s", b - a }')"
  proven+=("$(printf '%-4s %8s  %s' "$result" "$took" "$text")")
  printf '%s\n' "${proven[-1]}" >&2
  [[ "$result" == yes ]] || sed 's/^/       | /' "$work/prove.log" >&2
}

start_agent() {
  "$ragagent" run --config "$work/ragagent.json" --runtime-dir "$work/run" --state-dir "$work/state" >>"$work/agent.log" 2>&1 &
  agent_pid=$!
}
blobs_served() { "$local_aws" requests --endpoint "$api" --operation registry:blob --count; }
started_at() { docker inspect --format '{{.State.StartedAt}}' "$container"; }
shows_version() { curl -fs --max-time 5 "$url" | grep -F "<b id=\"version\">$1</b>"; }
key_arrived() {
  local there here
  there="$(curl -fs --max-time 5 "${url}key-sha256")"
  here="$(printf %s "$key" | sha256sum | cut -d' ' -f1)"
  echo "app: $there, Parameter Store: $here"
  [[ "${there%%[[:space:]]*}" == "$here" ]]
}
# Where a key could have been left: all that the engine keeps, every log, and what inspect tells.
places() {
  docker inspect "$container" >"$work/inspect.json"
  printf '%s\0' "${engine_data[@]}" "$work/agent.log" "$work/aws.log" "$work/aws" "$work/inspect.json" "$work/run" "$work/state"
}
found() { # prints the files; files that vanish meanwhile and sockets are no failure of the search
  places | xargs -0 grep -rlaF -D skip -e "$1" 2>/dev/null || true
}
search_works() { [[ -n "$(found "$container" | tee /dev/stderr)" ]]; }   # the same search finds what is there
key_nowhere() { [[ -z "$(found "$key" | tee /dev/stderr)" ]]; }
key_in_no_command_line() { ! grep -laF -e "$key" /proc/[0-9]*/cmdline 2>/dev/null; }
says_what_goes_on() { # before the app serves: 503, one sentence
  local answer
  answer="$(curl -s --max-time 5 -w '%{http_code}' "$url")"
  echo "$answer"
  [[ "$answer" == *503 ]]
}
same_run() { [[ "$(started_at)" == "$before" ]]; }
no_pull() { [[ "$(blobs_served)" == "$served" ]]; }

start_agent
prove "the front door answers before the app is there (503, and what is going on)" wait_for 20 says_what_goes_on
prove "the app answers on its URL with 200" wait_for 120 answers
prove "the key that the app received is the one in Parameter Store (SHA-256)" key_arrived
prove "a search of the engine's data, all logs and docker inspect finds what is there" search_works
prove "the same search finds the key's text nowhere" key_nowhere
prove "the key's text is in no process's command line" key_in_no_command_line
before="$(started_at)" served="$(blobs_served)"
kill -KILL "$agent_pid"
wait "$agent_pid" 2>/dev/null || true
start_agent
prove "a killed agent comes back and serves" wait_for 30 answers
prove "the app was not restarted by that" same_run
prove "and nothing was pulled" no_pull
push 2
prove "a new image under latest: 'ragagent update' picks it up" agent update
prove "and it serves" wait_for 10 shows_version 2
prove "the key's text is still nowhere" key_nowhere
prove "'ragagent status' says that it serves" agent status

echo
echo "held    took  what"
printf '%s\n' "${proven[@]}"
awk -v a="$started" -v b="$(now)" 'BEGIN { printf "\nIn all %.0f s.\n", b - a }'
[[ $failed -eq 0 ]] && echo "All of it holds." || echo "Not all of it holds."
exit "$failed"
