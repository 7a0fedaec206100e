#!/usr/bin/env bash
# Usage: scripts/check-dockerfile.sh
# Builds Dockerfile.streamlit from a project of RAGstream's shape, on a base image made here and with a pip that only
# notes what it was asked for and puts the stand-in app in Streamlit's place; runs what came out as the agent does, and
# counts what a change of the code costs between two engines and a registry. No foreign registry and no index is asked.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
command -v node >/dev/null || "$root/scripts/apt-install.sh" nodejs
"$root/scripts/apt-install.sh" docker-registry jq curl
work="$(mktemp -d /tmp/ragcheck.XXXXXX)"
started=()
cleanup() {
  local engine
  for engine in first second; do "$root/scripts/engine.sh" stop "$work/$engine" || true; done
  ((${#started[@]} == 0)) || kill "${started[@]}" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
# shellcheck source=scripts/processes.sh
source "$root/scripts/processes.sh"
DOCKER_HOST="$("$root/scripts/engine.sh" start "$work/first")"
export DOCKER_HOST DOCKER_BUILDKIT=0 DOCKER_CONFIG="$work/docker"

# shellcheck source=scripts/checks.sh
source "$root/scripts/checks.sh"
look_into() { docker run --detach --name "in-$1" --entrypoint sleep "app:$1" 1d >/dev/null; } # look_into TAG: for `inside`
inside() { docker exec "in-$1" "${@:2}"; } # inside TAG COMMAND…
build() { docker build --quiet "$@" 2>"$work/build.log" >/dev/null || { cat "$work/build.log" >&2; exit 1; }; }
grouped() { sed -E ':next; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; t next' <<<"$1"; }

# --- A base with the programs that the Dockerfile calls: python, apt-get, and a venv whose pip is a notebook. What it
# "installs" is 40 MB that do not compress, the stand-in app as Streamlit, and a Hugging Face library without a network.
"$root/tests/fake-app/build.sh" --engine "$DOCKER_HOST" --tag unused >/dev/null
mkdir "$work/base"
cp "$root/tests/fake-app/app.py" "$work/base/"
cat >"$work/base/python" <<'SH'
#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
  /usr/bin/python3 -m venv --without-pip --system-site-packages "$3" && cp /opt/bench/pip "$3/bin/pip"
else
  exec /usr/bin/python3 "$@"
fi
SH
cat >"$work/base/apt-get" <<'SH'
#!/bin/sh
if [ "$1" = install ]; then echo '#!/bin/sh' >/usr/local/bin/gcc && chmod +x /usr/local/bin/gcc; fi
SH
cat >"$work/base/pip" <<'SH'
#!/bin/sh
cd "$(dirname "$0")/.."
echo "$*" >>asked
cp /opt/bench/streamlit bin/
cp /opt/bench/huggingface_hub.py lib/python3*/site-packages/
if [ -f /tmp/packages.txt ]; then cp /tmp/packages.txt packages; head -c 40000000 /dev/urandom >lib/payload; fi
SH
cat >"$work/base/streamlit" <<'SH'
#!/bin/sh
[ "$1" = run ] && [ -r "$2" ] || { echo "streamlit: what is '$*'?"; exit 2; }
export FAKE_APP_VERSION_FILE=ragstream/config/version
exec python /opt/bench/app.py
SH
# The layout of the real cache: what is read are links to blobs.
cat >"$work/base/huggingface_hub.py" <<'PY'
import fnmatch, os, pathlib

def snapshot_download(repo_id, ignore_patterns):
    kept = [name for name in ("model.safetensors", "onnx/model.onnx", "tf_model.h5") if not any(fnmatch.fnmatch(name, p) for p in ignore_patterns)]
    cache = pathlib.Path(os.environ["HF_HUB_CACHE"])
    model = cache / ("models--" + repo_id.replace("/", "--"))
    for folder in ("blobs", "refs", "snapshots/1"):
        (model / folder).mkdir(parents=True)
    (model / "refs/main").write_text("1")
    for name in kept:
        (model / "blobs" / name).write_text(f"{repo_id} from {os.environ['HF_ENDPOINT']}")
        (model / "snapshots/1" / name).symlink_to(f"../../blobs/{name}")
    (cache / ".locks").mkdir(exist_ok=True)
PY
chmod +x "$work/base/"*
printf '%s\n' "FROM $(docker images --filter 'reference=ragagent-fake-app-tree' --format '{{.Repository}}:{{.Tag}}')" \
  'COPY python apt-get /usr/local/bin/' 'COPY . /opt/bench/' >"$work/base/Dockerfile"
build --tag python:3.11-slim "$work/base"

# --- RAGstream's shape, with what must not get in beside the code.
project="$work/project"
mkdir -p "$project"/{ragstream/{app,config},data/{agents/a2_promptshaper,memory,chroma_db}}
printf '%s\n' '--index-url https://wrong.example/whl/cpu' '--extra-index-url https://wrong.example/simple' \
  'streamlit>=1.34   # the page' 'torch==2.6.0   # the reranker' 'torchmetrics>=1' >"$project/requirements.txt"
echo 'print("the page")' >"$project/ragstream/app/ui_streamlit.py"
echo first >"$project/ragstream/config/version"
echo '{}' | tee "$project/ragstream/config/prompt_schema.json" >"$project/data/agents/a2_promptshaper/001.json"
echo 'OPENAI_API_KEY=not-a-key' | tee "$project/.env" "$project/ragstream/.env" >"$project/data/memory/private.txt"
cp "$root/Dockerfile.streamlit" "$root/Dockerfile.streamlit.dockerignore" "$project/"
# The classic builder knows the ignore file by this name only.
cp "$root/Dockerfile.streamlit.dockerignore" "$project/.dockerignore"

arguments=(--file "$project/Dockerfile.streamlit" --build-arg TORCH_INDEX_URL=https://torch.example/cpu
  --build-arg PIP_INDEX_URL=https://pip.example/simple)
build "${arguments[@]}" --build-arg REVISION=abc --tag app:1 "$project"
look_into 1

# --- What is in it.
config() { docker image inspect --format "$1" "${2:-app:1}"; }
has_environment() { config '{{join .Config.Env "\n"}}' | grep -qxF -- "$1"; }
layers() { config '{{join .RootFS.Layers "\n"}}' "app:$1"; }
new_layers() { comm -13 <(layers "$1" | sort) <(layers "$2" | sort) | wc -l; } # new_layers BEFORE AFTER

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
check "torch comes alone, from its own index" equal "$(inside 1 head -n 1 /venv/asked)" \
  'install --no-compile --no-deps --index-url https://torch.example/cpu torch==2.6.0'
check "the rest comes from the package index" equal "$(inside 1 tail -n 1 /venv/asked)" \
  'install --no-compile --index-url https://pip.example/simple --requirement /tmp/packages.txt'
check "no index of requirements.txt is asked" equal "$(inside 1 grep -c wrong /venv/packages || true)" 0
check "the compiler stayed where the packages were built" equal "$(inside 1 sh -c 'command -v gcc || echo none')" none
check "the agents' prompts are in" inside 1 test -s data/agents/a2_promptshaper/001.json
check "no .env and no private file is in" equal "$(inside 1 find /app /home -name '.env*' -o -name 'private*')" ''
check "the data folders can be written to" inside 1 touch data/{doc_raw,chroma_db,splade_db,memory,logs}/x
# shellcheck disable=SC2016 # for the shell in the container
check "the home and its caches can be written to" inside 1 sh -c 'for folder in . .cache .cache/huggingface/hub; do touch "/home/app/$folder/x" && rm "/home/app/$folder/x" || exit; done'
check "code and prompts can't be" inside 1 sh -c '! touch ragstream/x && ! touch data/agents/x'

# --- It serves, as the agent starts it: ContainerSpec.cs, with readOnlyRoot.
serving="$(docker run --detach --init --security-opt no-new-privileges --read-only --tmpfs /tmp --publish 127.0.0.1::8501 --stop-timeout 20 app:1)"
address="$(docker port "$serving" 8501/tcp)"
ask() { curl --silent --show-error --fail --max-time 5 "http://$address$1"; }
healthy() { [[ "$(ask /_stcore/health 2>/dev/null)" == ok ]]; }
serves() { wait_until 150 healthy || { ask /_stcore/health; docker logs "$serving"; return 1; }; }
in_log() { docker logs "$serving" 2>&1 | grep -xF -- "$1" || { echo "The log says:"; docker logs "$serving"; return 1; }; }
ends_in_time() {
  local before=$SECONDS
  docker stop "$serving" || return
  equal "$(docker inspect --format '{{.State.ExitCode}}' "$serving")" 0 && at_most $((SECONDS - before)) 5
}
check "serves on the port of its environment, with a root that can't be written to" serves
check "the code that serves is the project's" equal "$(ask /version)" first
check "a line is in the log while the app runs" in_log "fake app first serves on port 8501"
# shellcheck disable=SC2016 # for the shell in the container
check "no process of it is root's" equal "$(docker exec "$serving" sh -c 'for process in /proc/[0-9]*; do stat --format %u:%g "$process"; done | sort -u')" 1000:1000
check "SIGTERM ends it within 5 seconds, with code 0" ends_in_time
check "its last word is in the log" in_log "fake app first stops"
docker rm --force "$serving" >/dev/null

# --- Models in the image.
models=/home/app/.cache/huggingface/hub
build "${arguments[@]}" --build-arg REVISION=abc --build-arg "MODELS=org/one two" --build-arg HF_ENDPOINT=https://hub.example --tag app:models "$project"
look_into models
check "no model is in it by default" equal "$(inside 1 find "$models" -mindepth 1)" ''
check "models that are asked for are in, and what only others would read is not" equal "$(inside models sh -c "cd $models && find . -type l | sort")" \
  "./models--org--one/snapshots/1/model.safetensors
./models--two/snapshots/1/model.safetensors"
check "they are whole, and come from where the build says" \
  equal "$(inside models cat "$models/models--org--one/snapshots/1/model.safetensors")" 'org/one from https://hub.example'
check "the app can add to them" inside models sh -c "touch $models/x $models/models--org--one/snapshots/1/x"
echo 'chromadb>=0.5' >>"$project/requirements.txt"
build "${arguments[@]}" --build-arg REVISION=abc --build-arg "MODELS=org/one two" --build-arg HF_ENDPOINT=https://hub.example --tag app:packages "$project"
sed -i '$d' "$project/requirements.txt"
# Above them: the packages, the prompts, the code, its byte code.
below_packages() { layers "$1" | head -n -4; }
check "new packages leave them as they are, and what is below them" equal "$(below_packages packages)" "$(below_packages models)"
check "which is a layer, and not none" equal "$(comm -13 <(below_packages 1 | sort) <(below_packages models | sort) | wc -l)" 1

# --- BuildKit, which the workflow builds with: a plug-in of newer clients, and a part of Debian's.
builds_with_buildkit() { "$1" buildx version || [[ "$("$1" --version)" == *" version 20."* ]]; } >/dev/null 2>&1
builder=docker
builds_with_buildkit docker || { "$root/scripts/apt-install.sh" docker.io; builder=/usr/bin/docker; }
buildkit() { DOCKER_BUILDKIT=1 "$builder" build --quiet "${arguments[@]}" --build-arg BUILD_PACKAGES= --tag app:kit "$project" && look_into kit; }
rm "$project/.dockerignore"
check "BuildKit builds it, too" buildkit
check "and finds the ignore file under its own name" equal "$(inside kit find /app -name '.env*' -o -name 'private*')" ''
check "with the same configuration, but for the commit" equal "$(config '{{json .Config.Env}} {{json .Config.Cmd}} {{.Config.User}}' app:kit)" \
  "$(config '{{json .Config.Env}} {{json .Config.Cmd}} {{.Config.User}}')"

# --- What a change of the code costs, as bytes on the wire: one engine pushes, another one pulls.
start_registry "$work"
started+=("$registry_pid")
coproc WIRE { exec node "$root/scripts/byte-counting-proxy.mjs" "${registry#*:}"; }
started+=("$WIRE_PID")
read -r port <&"${WIRE[0]}"
image="127.0.0.1:$port/ragstream-web"
# Sets `uploaded` and `downloaded` to the bytes that went over the wire while COMMAND ran, and `moved` to the blobs.
measured() { # measured COMMAND…
  local before
  before="$(wc -l <"$work/registry.log")"
  "$@" >"$work/transfer.log" 2>&1 || { cat "$work/transfer.log" >&2; exit 1; }
  echo >&"${WIRE[1]}"
  read -r uploaded downloaded <&"${WIRE[0]}"
  moved="$(tail -n +$((before + 1)) "$work/registry.log" | jq --raw-output 'select(.msg == "response completed" and ."http.response.status" < 300)
    | (select(."http.request.method" == "PUT") | ."http.request.uri" | capture("digest=sha256%3A(?<digest>[0-9a-f]{64})").digest),
      (select(."http.request.method" == "GET") | ."http.request.uri" | capture("/blobs/sha256:(?<digest>[0-9a-f]{64})").digest)' | sort)"
}
push() { docker tag "app:$1" "$image:$1" && docker push --quiet "$image:$1"; }
pull() { DOCKER_HOST="$second" docker pull --quiet "$image:$1"; }
manifest() { curl --silent --fail --header 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$registry/v2/ragstream-web/manifests/$1"; }
blobs() { manifest "$1" | jq --raw-output '[.config, .layers[]] | unique_by(.digest)[] | "\(.digest[7:]) \(.size)"' | sort; }

second="$("$root/scripts/engine.sh" start "$work/second")"
measured push 1
whole_up=$uploaded
measured pull 1
whole_down=$downloaded

echo second >"$project/ragstream/config/version"
build "${arguments[@]}" --build-arg REVISION=def --tag app:2 "$project"
look_into 2
check "new code costs its own layers only: code and its byte code" equal "$(new_layers 1 2)" 2
check "without an ignore file, what lies beside the code stays out" equal "$(inside 2 find /app -maxdepth 1 -name '.env' -o -name 'private*')" ''
measured push 2
up=$uploaded pushed="$moved"
measured pull 2
down=$downloaded pulled="$moved"
new="$(join -v 2 <(blobs 1) <(blobs 2))"
new_digests="$(cut -d' ' -f1 <<<"$new")"
new_bytes=$(($(manifest 2 | wc -c) + $(awk '{ sum += $2 } END { print sum }' <<<"$new")))
# Beside the blobs: the heads of the requests and answers.
heads=16384
little() { at_most "$1" $((new_bytes + heads)) && at_most "$1" $(($2 / 1000)); } # little BYTES OF-ALL
check "a code-only push uploads the new layers and the image's configuration, and no other blob" equal "$pushed" "$new_digests"
check "a code-only push uploads $(grouped "$up") of $(grouped "$whole_up") bytes" little "$up" "$whole_up"
check "its pull fetches the same blobs and no other" equal "$pulled" "$new_digests"
check "its pull downloads $(grouped "$down") of $(grouped "$whole_down") bytes" little "$down" "$whole_down"
check "what was pulled is the new code" equal "$(DOCKER_HOST="$second" docker run --rm "$image:2" cat ragstream/config/version)" second

finish_checks
