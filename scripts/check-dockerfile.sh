#!/usr/bin/env bash
# Usage: scripts/check-dockerfile.sh
# Builds Dockerfile.streamlit from a project of RAGstream's shape, on a base image made here and with a
# pip that only notes what it was asked for, and checks what came out. No registry and no index is asked.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d /tmp/ragcheck.XXXXXX)"
cleanup() {
  "$root/scripts/engine.sh" stop "$work/engine" || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
DOCKER_HOST="$("$root/scripts/engine.sh" start "$work/engine")"
export DOCKER_HOST DOCKER_BUILDKIT=0

failures=0
check() { # check SENTENCE COMMAND…
  if "${@:2}" >"$work/said" 2>&1; then
    echo "ok    $1"
  else
    echo "FAIL  $1"
    sed 's/^/      /' "$work/said"
    failures=$((failures + 1))
  fi
}
equal() { [[ "$1" == "$2" ]] || { echo "expected: $2"; echo "found:    $1"; return 1; }; }
build() { docker build --quiet "$@" 2>"$work/build.log" >/dev/null || { cat "$work/build.log" >&2; exit 1; }; }

# A base with the two programs that the Dockerfile calls: python, and a venv whose pip is a notebook.
"$root/tests/stand-in/build.sh" --engine "$DOCKER_HOST" --tag unused >/dev/null
mkdir "$work/base"
cat >"$work/base/python" <<'SH'
#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
  /usr/bin/python3 -m venv --without-pip "$3" && cp /opt/pip "$3/bin/pip"
else
  exec /usr/bin/python3 "$@"
fi
SH
cat >"$work/base/pip" <<'SH'
#!/bin/sh
echo "$*" >>/venv/asked
printf '#!/bin/sh\necho "$0 $* as $(id -u):$(id -g) in $(pwd)"\n' >/venv/bin/streamlit
chmod +x /venv/bin/streamlit
if [ -f /tmp/packages.txt ]; then cp /tmp/packages.txt /venv/packages; fi
SH
chmod +x "$work/base/"*
printf '%s\n' "FROM $(docker images --filter 'reference=ragagent-stand-in-tree' --format '{{.Repository}}:{{.Tag}}')" \
  'COPY python /usr/local/bin/python' 'COPY pip /opt/pip' >"$work/base/Dockerfile"
build --tag python:3.11-slim "$work/base"

project="$work/project"
mkdir -p "$project"/{ragstream/{app,config},data/{agents/a2_promptshaper,memory,chroma_db}}
printf '%s\n' '--index-url https://wrong.example/whl/cpu' '--extra-index-url https://wrong.example/simple' \
  'streamlit>=1.34   # the page' 'torch==2.6.0   # the reranker' 'torchmetrics>=1' >"$project/requirements.txt"
echo 'print("first")' >"$project/ragstream/app/ui_streamlit.py"
echo '{}' | tee "$project/ragstream/config/prompt_schema.json" >"$project/data/agents/a2_promptshaper/001.json"
echo 'OPENAI_API_KEY=not-a-key' | tee "$project/.env" "$project/ragstream/.env" >"$project/data/memory/private.txt"
cp "$root/Dockerfile.streamlit" "$project/"
# The classic builder knows the ignore file by this name only.
cp "$root/Dockerfile.streamlit.dockerignore" "$project/.dockerignore"

arguments=(--file "$project/Dockerfile.streamlit" --build-arg BUILD_PACKAGES= --build-arg TORCH_INDEX_URL=https://torch.example/cpu
  --build-arg PIP_INDEX_URL=https://pip.example/simple)
build "${arguments[@]}" --build-arg REVISION=abc --tag app:1 "$project"

config() { docker image inspect --format "$1" "${2:-app:1}"; }
run() { docker run --rm "app:$1" "${@:2}"; }
has_environment() { config '{{join .Config.Env "\n"}}' | grep -qxF -- "$1"; }

check "runs as 1000:1000" equal "$(config '{{.Config.User}}')" 1000:1000
check "works in /app" equal "$(config '{{.Config.WorkingDir}}')" /app
check "starts Streamlit without a shell" equal "$(config '{{json .Config.Cmd}}')" '["streamlit","run","ragstream/app/ui_streamlit.py"]'
check "has no entry point in front of it" equal "$(config '{{json .Config.Entrypoint}}')" null
check "stops by SIGTERM" equal "$(config '{{.Config.StopSignal}}')" SIGTERM
check "has no health check of its own" equal "$(config '{{json .Config.Healthcheck.Test}}')" '["NONE"]'
check "makes no anonymous volume" equal "$(config '{{json .Config.Volumes}}')" null
check "says which commit it is" equal "$(config '{{index .Config.Labels "org.opencontainers.image.revision"}}')" abc
for variable in PYTHONUNBUFFERED=1 PYTHONPATH=/app STREAMLIT_SERVER_PORT=8501 STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
  STREAMLIT_SERVER_HEADLESS=true STREAMLIT_BROWSER_GATHER_USAGE_STATS=false; do
  check "sets $variable" has_environment "$variable"
done
check "the command is found and runs" equal "$(run 1)" '/venv/bin/streamlit run ragstream/app/ui_streamlit.py as 1000:1000 in /app'
check "torch comes alone, from its own index" equal "$(run 1 head -n 1 /venv/asked)" \
  'install --no-compile --no-deps --index-url https://torch.example/cpu torch==2.6.0'
check "the rest comes from the package index" equal "$(run 1 tail -n 1 /venv/asked)" \
  'install --no-compile --index-url https://pip.example/simple --requirement /tmp/packages.txt'
check "no index of requirements.txt is asked" equal "$(run 1 grep -c wrong /venv/packages || true)" 0
check "the agents' prompts are in" run 1 test -s data/agents/a2_promptshaper/001.json
check "no .env and no private file is in" equal "$(run 1 find /app /home -name '.env*' -o -name 'private*')" ''
check "the data folders can be written to" run 1 touch data/{doc_raw,chroma_db,splade_db,memory,logs}/x
check "the home can be written to" run 1 touch /home/app/x
check "code and prompts can't be" run 1 sh -c '! touch ragstream/x && ! touch data/agents/x'

echo 'print("second")' >"$project/ragstream/app/ui_streamlit.py"
rm "$project/.dockerignore"
build "${arguments[@]}" --build-arg REVISION=def --tag app:2 "$project"
layers() { config '{{join .RootFS.Layers "\n"}}' "app:$1"; }
new_layers() { comm -13 <(layers 1 | sort) <(layers 2 | sort) | wc -l; }
check "new code costs its own layers only: code and its byte code" equal "$(new_layers)" 2
check "without an ignore file, what lies beside the code stays out" equal "$(run 2 find /app -maxdepth 1 -name '.env' -o -name 'private*')" ''

((failures == 0)) || { echo "check-dockerfile.sh: $failures failed."; exit 1; }
