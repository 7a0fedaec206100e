# shellcheck shell=bash
# Sourced by scripts that run the agent for real: a private Docker Engine, AWS and a registry on loopback, the fake app.
# Everything lives in $work. It ends and goes with the script, however the script ends.
# The scripts run in the root of the repository.

# shellcheck source=scripts/processes.sh
source scripts/processes.sh

fail() { echo "${0##*/}: $*" >&2; exit 1; }

begin_stage() { # begin_stage NAME: creates $work and keeps the real AWS and the user's Docker credentials out
  work="$(mktemp -d "/tmp/$1.XXXXXX")"   # short, because a socket's path has at most 107 characters
  stage_pids=()
  trap end_stage EXIT
  trap 'exit 130' INT
  trap 'echo "${0##*/}: ended by a signal." >&2; exit 143' TERM HUP

  scripts/apt-install.sh docker-registry curl ca-certificates iproute2
  unset "${!AWS_@}"
  export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
  export DOCKER_CONFIG="$work/docker-config"
  mkdir "$DOCKER_CONFIG"
}

# The script may define at_end, which runs when all processes have ended and the engine still runs.
end_stage() {
  local code=$?
  trap - EXIT INT TERM HUP
  set +e
  while ((${#stage_pids[@]})); do end_process "${stage_pids[-1]}"; done
  if declare -F at_end >/dev/null; then at_end; fi
  scripts/engine.sh stop "$work/e"
  if [[ $code != 0 && $code != 130 && -s $work/agent.log ]]; then
    echo "--- the agent's last lines" >&2
    tail -n 20 "$work/agent.log" >&2
  fi
  rm -rf "$work"
  exit "$code"
}

end_process() { # end_process PID: SIGTERM, and SIGKILL after 30 s
  local pid others=()
  for pid in "${stage_pids[@]}"; do [[ $pid == "$1" ]] || others+=("$pid"); done
  stage_pids=("${others[@]}")
  kill -TERM "$1" 2>/dev/null || return 0
  wait_until 300 has_ended "$1" || kill -KILL "$1" 2>/dev/null || true
}

compile() { # compile build|publish PROJECT FOLDER: into $work/FOLDER, so that parallel runs share no files
  dotnet "$1" "$2" --configuration Release --output "$work/$3" --artifacts-path "$work/build" --verbosity quiet --nologo \
    >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; fail "$2 doesn't build."; }
  rm -rf "$work/build"
}

use_binary() { # use_binary [BINARY]: sets `binary`, by default to the one in the newest package of dist/
  binary="${1:-$work/ragagent}"
  if [[ -z ${1:-} ]]; then
    local package
    package="$(find dist -name 'ragagent-*-linux-x64.tar.gz' -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2-)"
    [[ -n $package ]] || fail "there is no package in dist/. Build one: packaging/build.sh"
    tar --extract --gzip --file "$package" --directory "$work" --strip-components=1
  fi
  [[ -x $binary ]] || fail "$binary is not a program."
}

start_engine() { # a private Docker Engine
  DOCKER_HOST="$(scripts/engine.sh start "$work/e")"
  export DOCKER_HOST
}

# LocalAws, with a random key in Parameter Store. Sets `key`, `aws_api` and `repository`, makes it the only AWS that the
# agent can find, and logs Docker in to its registry.
start_aws() {
  compile publish tests/LocalAws local-aws
  local_aws="$work/local-aws/local-aws"
  key="sk-test-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
  (umask 077 && printf '%s\n' "$key" >"$work/key")
  "$local_aws" serve --state-dir "$work/aws" --ready-file "$work/aws.json" --parameter "/ragstream/OPENAI_API_KEY=@$work/key" \
    >"$work/aws.log" 2>&1 &
  stage_pids+=($!)
  wait_until 300 test -s "$work/aws.json" || { cat "$work/aws.log" >&2; fail "LocalAws did not start."; }
  aws_api="$(aws_value apiEndpoint)"
  unset AWS_EC2_METADATA_DISABLED
  export AWS_EC2_METADATA_SERVICE_ENDPOINT="$aws_api"
  export AWS_ENDPOINT_URL_SSM="$aws_api" AWS_ENDPOINT_URL_ECR="$aws_api" AWS_ENDPOINT_URL_EC2="$aws_api"
  repository="$(aws_value registryHost)/ragstream-web"
  docker login --username "$(aws_value dockerUser)" --password-stdin "$(aws_value registryHost)" \
    <"$(aws_value dockerPasswordFile)" >"$work/login.log" 2>&1 || { cat "$work/login.log" >&2; fail "docker login failed."; }
}
aws_value() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$work/aws.json" | head -n 1; } # aws_value NAME

push_app() { # push_app [OPTION…]: builds the fake app and pushes it as latest; OPTIONs are those of tests/fake-app/build.sh
  { tests/fake-app/build.sh --engine "$DOCKER_HOST" --tag "$repository:latest" "$@" && docker push --quiet "$repository:latest"; } \
    >"$work/push.log" 2>&1 || { cat "$work/push.log" >&2; fail "the fake app could not be pushed."; }
}
remove_images() { # so that the agent has to pull
  docker images --format '{{.ID}}' "$repository" | sort -u | xargs -r docker rmi --force >/dev/null
}

free_port() { # free_port FIRST: prints the first port from FIRST on that nothing listens on
  local port="$1"
  while [[ -n "$(ss --no-header --listening --tcp --numeric "sport = :$port")" ]]; do port=$((port + 1)); done
  echo "$port"
}
random_port() { free_port "$((20000 + RANDOM % 10000))"; }

start_agent() { # start_agent NAME: with $work/NAME.json; sets `agent_pid`
  "$binary" run --config "$work/$1.json" --runtime-dir "$work/$1.run" --state-dir "$work/$1.state" >>"$work/agent.log" 2>&1 &
  agent_pid=$!
  stage_pids+=("$agent_pid")
}
serves() { curl --fail --silent --output /dev/null --max-time 5 "http://127.0.0.1:$1/"; } # serves PORT
wait_for() { # wait_for SECONDS CONDITION…: gives up when the time is over or the agent has ended
  local until=$((SECONDS + $1))
  until "${@:2}"; do
    ((SECONDS < until)) || { echo "${0##*/}: '${*:2}' did not succeed within $1 s." >&2; return 1; }
    ! has_ended "$agent_pid" || { echo "${0##*/}: the agent has ended." >&2; return 1; }
    sleep 0.1
  done
}
