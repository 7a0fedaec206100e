#!/usr/bin/env bash
# Usage: scripts/check-dockerfile.sh
# Builds Dockerfile.streamlit from a project with RAGstream's layout, runs the image as the agent does, and measures what
# a code change costs between two engines and a registry. Uses no public registry or package index: the base image and the
# packages are made here, and the fake app replaces Streamlit. pip and git are real.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
command -v node >/dev/null || "$root/scripts/apt-install.sh" nodejs
"$root/scripts/apt-install.sh" docker-registry jq curl python3 git
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
# shellcheck source=tests/streamlit/base.sh
source "$root/tests/streamlit/base.sh"
build() { docker build --quiet "$@" 2>"$work/build.log" >/dev/null || { cat "$work/build.log" >&2; exit 1; }; }
start_shell() { docker run --detach --name "in-$1" --entrypoint sleep "app:$1" 1d >/dev/null; } # start_shell TAG: for in_image
in_image() { docker exec "in-$1" "${@:2}"; } # in_image TAG COMMAND…
with_commas() { sed -E ':next; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; t next' <<<"$1"; }

# --- Two package indexes, with small wheels for the real pip: PyPI's, and the one with torch for CPU only. The fake app is
# Streamlit, and 40 incompressible MB are a package. A Hugging Face library works offline.
find_base_image
cat >"$work/wheels.py" <<'PY'
import base64, hashlib, os, pathlib, sys, zipfile

def wheel(index, name, version, files, requires=()):
    """Writes a wheel (PEP 427) to where a simple index has it (PEP 503)."""
    folder = pathlib.Path(sys.argv[1], index, "simple", name.replace("_", "-"))
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    metadata = "".join([f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", *(f"Requires-Dist: {r}\n" for r in requires)])
    files = {**files, f"{info}/METADATA": metadata, f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        record = ""
        for path, content in files.items():
            content = content if isinstance(content, bytes) else content.encode()
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o100755 if "/scripts/" in path else 0o100644) << 16
            archive.writestr(entry, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(content)}\n"
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")

app = pathlib.Path(sys.argv[2]).read_text()
streamlit = f"#!python\nimport os, sys\nassert sys.argv[1] == 'run' and os.path.isfile(sys.argv[2]), sys.argv\n" \
    "os.environ['FAKE_APP_VERSION_FILE'] = 'ragstream/config/version'\n" \
    "sys.path.append('/usr/lib/python3/dist-packages')\n" + app.split('"""', 2)[2]
wheel("pypi", "streamlit", "1.50.0", {"streamlit/__init__.py": "", "streamlit-1.50.0.data/scripts/streamlit": streamlit}, ["payload", "tornado>=1"])
wheel("pypi", "streamlit", "1.20.0", {"streamlit/__init__.py": ""})
wheel("pypi", "tornado", "6.0", {})
wheel("pypi", "payload", "1.0", {"payload/data": os.urandom(40_000_000)})
wheel("pypi", "torch", "2.6.0", {"torch.py": "cuda = True"}, ["nvidia-cublas-cu12==12.4.5.8", "triton==3.2.0", "sympy"])
wheel("pypi", "nvidia_cublas_cu12", "12.4.5.8", {"cublas.py": ""})
wheel("pypi", "triton", "3.2.0", {"triton.py": ""})
wheel("pypi", "sympy", "1.13", {"sympy.py": ""})
wheel("pypi", "torchmetrics", "1.4", {"torchmetrics.py": ""}, ["torch>=2"])
wheel("files", "own", "1.0", {"own.py": ""})
wheel("pypi", "chromadb", "0.5", {"chromadb.py": ""})
wheel("cpu", "torch", "2.6.0+cpu", {"torch.py": "cuda = False"}, ["sympy"])
wheel("pypi", "huggingface_hub", "1.0", {"huggingface_hub.py": """
import fnmatch, os, pathlib

def snapshot_download(repo_id, ignore_patterns):
    # The layout of the real cache: its files are links to blobs.
    files = ("model.safetensors", "onnx/model.onnx", "tf_model.h5")
    kept = [name for name in files if not any(fnmatch.fnmatch(name, pattern) for pattern in ignore_patterns)]
    cache = pathlib.Path(os.environ["HF_HUB_CACHE"])
    model = cache / ("models--" + repo_id.replace("/", "--"))
    for folder in ("blobs", "refs", "snapshots/1"):
        (model / folder).mkdir(parents=True)
    (model / "refs/main").write_text("1")
    for name in kept:
        (model / "blobs" / name).write_text(f"{repo_id} from {os.environ['HF_ENDPOINT']}")
        (model / "snapshots/1" / name).symlink_to(f"../../blobs/{name}")
    (cache / ".locks").mkdir(exist_ok=True)
"""})
PY
mkdir "$work/index"
python3 "$work/wheels.py" "$work/index" "$root/tests/fake-app/app.py"
python3 -u -m http.server --directory "$work/index" --bind 127.0.0.1 0 >"$work/index.log" 2>&1 &
started+=("$!")
wait_until 100 grep -q port "$work/index.log"
index="http://127.0.0.1:$(sed -nE 's/.* port ([0-9]+) .*/\1/p' "$work/index.log")"

# The fake app needs Tornado, which the base image lacks.
"$root/tests/fake-app/build.sh" --engine "$DOCKER_HOST" --tag unused >/dev/null
tree="$(docker images --filter 'reference=ragagent-fake-app-tree' --format '{{.Repository}}:{{.Tag}}')"
mkdir "$work/base"
printf '%s\n' "FROM $tree AS tornado" "FROM $base" \
  'COPY --from=tornado /usr/lib/python3/dist-packages/tornado /usr/lib/python3/dist-packages/tornado' >"$work/base/Dockerfile"
build --tag python:3.11-slim "$work/base"

# --- A project with RAGstream's layout: Windows line ends, an index of its own, a Dockerfile, private files, a database that
# was added by force.
project="$work/project"
mkdir -p "$project"/{ragstream/{app,config},data/{agents/a2_promptshaper,memory,chroma_db},doc}
printf '%s\r\n' '--index-url https://wrong.example/whl/cpu' '--extra-index-url https://wrong.example/simple' \
  'streamlit>=1.34   # the page' 'torch==2.6.0   # the reranker' 'torchmetrics>=1' \
  "own @ $index/files/simple/own/own-1.0-py3-none-any.whl" >"$project/requirements.txt"
printf '%s\r\n' 'import streamlit' 'print("the page")' >"$project/ragstream/app/ui_streamlit.py"
printf '%s\n' 'import streamlit' >"$project/ragstream/app/ui_layout.py"
echo first >"$project/ragstream/config/version"
echo '{}' | tee "$project/ragstream/config/prompt_schema.json" >"$project/data/agents/a2_promptshaper/001.json"
echo 'OPENAI_API_KEY=not-a-key' | tee "$project/.env" "$project/ragstream/.env" >"$project/data/memory/private.txt"
echo 'database' >"$project/data/chroma_db/chroma.sqlite3"
echo 'a page' >"$project/doc/a.md"
printf '%s\r\n' 'FROM python:3.11-slim' 'CMD ["streamlit", "run", "ragstream/app/ui_streamlit.py", "--server.port=8501"]' >"$project/Dockerfile"
printf '%s\r\n' 'data/*' '!data/agents/' '.env' >"$project/.gitignore"
printf '%s\r\n' 'doc/' 'data/chroma_db/' >"$project/.dockerignore"
cp "$root/Dockerfile.streamlit" "$root/Dockerfile.streamlit.dockerignore" "$project/"
git() { command git -C "$project" -c user.name=x -c user.email=x -c init.defaultBranch=main "$@"; }
git init --quiet
git add . && git add --force data/chroma_db && git commit --quiet --message first

# The classic builder only reads an ignore file with this name, and the project's own leaves .git/index in.
arguments=(--network host --file "$project/Dockerfile.streamlit" --build-arg BUILD_PACKAGES=
  --build-arg "TORCH_INDEX_URL=$index/cpu/simple" --build-arg "PIP_INDEX_URL=$index/pypi/simple")
build "${arguments[@]}" --build-arg REVISION=abc --build-arg SOURCE=https://example.org --tag app:1 "$project"
start_shell 1

# --- The content of the image.
config() { docker image inspect --format "$1" "${2:-app:1}"; } # config FORMAT [IMAGE]
has_environment() { config '{{join .Config.Env "\n"}}' | grep -qxF -- "$1"; }
layers() { config '{{join .RootFS.Layers "\n"}}' "app:$1"; }
count_new_layers() { comm -13 <(layers "$1" | sort) <(layers "$2" | sort) | wc -l; } # count_new_layers BEFORE AFTER

check "it runs as 10001:10001" equal "$(config '{{.Config.User}}')" 10001:10001
check "  which has a name, that torch looks up" equal "$(in_image 1 python -c 'import getpass; print(getpass.getuser())')" app
check "its working directory is /app" equal "$(config '{{.Config.WorkingDir}}')" /app
check "it starts the entry file that the project's Dockerfile names" equal "$(in_image 1 tail -n 1 /usr/local/bin/run-app)" \
  'exec streamlit run "ragstream/app/ui_streamlit.py" "$@"'
check "it has no entry point" equal "$(config '{{json .Config.Entrypoint}}')" null
check "SIGTERM stops it" equal "$(config '{{.Config.StopSignal}}')" SIGTERM
check "it has no health check of its own" equal "$(config '{{json .Config.Healthcheck.Test}}')" '["NONE"]'
check "it creates no anonymous volume" equal "$(config '{{json .Config.Volumes}}')" null
check "a label names its commit" equal "$(config '{{index .Config.Labels "org.opencontainers.image.revision"}}')" abc
for variable in PYTHONUNBUFFERED=1 PYTHONPATH=/app:/app/src STREAMLIT_SERVER_PORT=8501 STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
  STREAMLIT_SERVER_HEADLESS=true STREAMLIT_BROWSER_SERVER_ADDRESS=localhost STREAMLIT_BROWSER_GATHER_USAGE_STATS=false; do
  check "it sets $variable" has_environment "$variable"
done
check "torch is the one for CPU only" equal "$(in_image 1 python -c 'import torch; print(torch.cuda)')" False
check "  without the packages for CUDA" equal "$(in_image 1 sh -c 'pip list 2>/dev/null | grep -ciE "nvidia|triton"' || true)" 0
lock="$(in_image 1 cat /usr/share/ragagent/requirements.lock)"
check "what was installed is recorded, with hashes" equal "$(sed -E 's/ --hash=sha256:[0-9a-f]{64}$/ #/' <<<"$lock" | tr '\n' ' ')" \
  "own @ $index/files/simple/own/own-1.0-py3-none-any.whl payload==1.0 # streamlit==1.50.0 # sympy==1.13 # torch==2.6.0+cpu # torchmetrics==1.4 # tornado==6.0 # "
app_files() { in_image "$1" find . -type f ! -name '*.pyc' | sort | tr '\n' ' '; } # app_files TAG
committed='./data/agents/a2_promptshaper/001.json ./ragstream/app/ui_layout.py ./ragstream/app/ui_streamlit.py'
committed+=' ./ragstream/config/prompt_schema.json ./ragstream/config/version ./requirements.txt '
check "it has what is committed, less what .dockerignore names" equal "$(app_files 1)" "$committed"
check "it has no .env and no private file" equal "$(in_image 1 find /app /home -name '.env*' -o -name 'private*')" ''
check "the app may write next to its code" in_image 1 touch x data/x
# shellcheck disable=SC2016 # a variable of the shell in the container
check "its home and caches are writable" in_image 1 sh -c \
  'for folder in . .cache .cache/huggingface/hub; do touch "/home/app/$folder/x" && rm "/home/app/$folder/x" || exit; done'

# --- The app serves when started as the agent starts it (ContainerSpec.cs), with readOnlyRoot.
serving="$(docker run --detach --init --security-opt no-new-privileges --read-only --tmpfs /tmp --publish 127.0.0.1::8501 \
  --stop-timeout 20 app:1)"
address="$(docker port "$serving" 8501/tcp)" || docker logs "$serving"
fetch() { curl --silent --show-error --fail --max-time 5 "http://$address$1"; } # fetch PATH
is_healthy() { [[ "$(fetch /_stcore/health 2>/dev/null)" == ok ]]; }
becomes_healthy() { wait_until 150 is_healthy || { fetch /_stcore/health; docker logs "$serving"; return 1; }; }
logs_line() { docker logs "$serving" 2>&1 | grep -xF -- "$1" || { echo "The log:"; docker logs "$serving"; return 1; }; }
stops_in_time() {
  local before=$SECONDS
  docker stop "$serving" || return
  equal "$(docker inspect --format '{{.State.ExitCode}}' "$serving")" 0 && at_most $((SECONDS - before)) 5
}
# shellcheck disable=SC2016 # a variable of the shell in the container
process_owners() { docker exec "$serving" sh -c 'for process in /proc/[0-9]*; do stat --format %u:%g "$process"; done | sort -u'; }
check "it serves on STREAMLIT_SERVER_PORT with a read-only root" becomes_healthy
check "it serves the project's code" equal "$(fetch /version)" first
check "its log is unbuffered" logs_line "fake app first serves on port 8501"
check "none of its processes runs as root" equal "$(process_owners)" 10001:10001
check "SIGTERM ends it within 5 seconds, with code 0" stops_in_time
check "its last line is in the log" logs_line "fake app first stops"
docker rm --force "$serving" >/dev/null

# --- Models in the image.
models=/home/app/.cache/huggingface/hub
with_models=("${arguments[@]}" --build-arg REVISION=abc --build-arg "MODELS=org/one two" --build-arg HF_ENDPOINT=https://hub.example)
build "${with_models[@]}" --tag app:models "$project"
start_shell models
check "by default it has no models" equal "$(in_image 1 find "$models" -mindepth 1)" ''
check "MODELS adds models, without files for other frameworks" \
  equal "$(in_image models sh -c "cd $models && find . -type l | sort")" \
  "./models--org--one/snapshots/1/model.safetensors
./models--two/snapshots/1/model.safetensors"
check "the models are complete, and come from HF_ENDPOINT" \
  equal "$(in_image models cat "$models/models--org--one/snapshots/1/model.safetensors")" 'org/one from https://hub.example'
check "the app can add to them" in_image models sh -c "touch $models/x $models/models--org--one/snapshots/1/x"
echo 'chromadb>=0.5' >>"$project/requirements.txt"
build "${with_models[@]}" --tag app:packages "$project"
sed -i '$d' "$project/requirements.txt"
# On top of the models: packages, their record, the entry, files, code and byte code.
below_packages() { layers "$1" | head -n -6; } # below_packages TAG
check "new packages don't change the models' layer or the ones below it" equal "$(below_packages packages)" "$(below_packages models)"
check "the models are one layer" equal "$(comm -13 <(below_packages 1 | sort) <(below_packages models | sort) | wc -l)" 1

# --- BuildKit, which the workflow uses: a plug-in of newer clients, and built into Debian's.
has_buildkit() { "$1" buildx version || [[ "$("$1" --version)" == *" version 20."* ]]; } >/dev/null 2>&1 # has_buildkit CLIENT
client=docker
has_buildkit docker || { "$root/scripts/apt-install.sh" docker.io; client=/usr/bin/docker; }
build_with_buildkit() {
  DOCKER_BUILDKIT=1 "$client" build --quiet "${arguments[@]}" --tag app:kit "$project" && start_shell kit
}
check "BuildKit also builds it" build_with_buildkit
check "  with a committed file that .gitignore and .dockerignore name: it was added by force" equal "$(app_files kit)" \
  "${committed/ / ./data/chroma_db/chroma.sqlite3 }"
check "  its packages' layer can be found by its history, as the workflow does" equal \
  "$(docker history --no-trunc --format '{{.CreatedBy}}' app:kit | grep -c requirements.lock)" 1
check "  and finds the ignore file under its own name" equal "$(in_image kit find /app -name '.env*' -o -name 'private*')" ''
check "  with the same configuration" equal "$(config '{{json .Config.Env}} {{json .Config.Cmd}} {{.Config.User}}' app:kit)" \
  "$(config '{{json .Config.Env}} {{json .Config.Cmd}} {{.Config.User}}')"

# --- The cost of a code change in bytes on the wire: one engine pushes, another one pulls.
start_registry "$work"
started+=("$registry_pid")
coproc PROXY { exec node "$root/scripts/byte-counting-proxy.mjs" "${registry#*:}"; }
started+=("$PROXY_PID")
read -r port <&"${PROXY[0]}"
image="127.0.0.1:$port/ragstream-web"
# Runs COMMAND. Sets `uploaded` and `downloaded` to the bytes on the wire meanwhile, and `blobs_moved` to their digests.
measure() { # measure COMMAND…
  local before
  before="$(wc -l <"$work/registry.log")"
  "$@" >"$work/transfer.log" 2>&1 || { cat "$work/transfer.log" >&2; exit 1; }
  echo >&"${PROXY[1]}"
  read -r uploaded downloaded <&"${PROXY[0]}"
  blobs_moved="$(tail -n +$((before + 1)) "$work/registry.log" | jq --raw-output '
    select(.msg == "response completed" and ."http.response.status" < 300)
    | (select(."http.request.method" == "PUT") | ."http.request.uri" | capture("digest=sha256%3A(?<digest>[0-9a-f]{64})").digest),
      (select(."http.request.method" == "GET") | ."http.request.uri" | capture("/blobs/sha256:(?<digest>[0-9a-f]{64})").digest)' |
    sort)"
}
push() { docker tag "app:$1" "$image:$1" && docker push --quiet "$image:$1"; } # push TAG
pull() { DOCKER_HOST="$second" docker pull --quiet "$image:$1"; } # pull TAG
manifest() { # manifest TAG
  curl --silent --fail --header 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
    "http://$registry/v2/ragstream-web/manifests/$1"
}
blobs() { # blobs TAG: lines 'DIGEST SIZE'
  manifest "$1" | jq --raw-output '[.config, .layers[]] | unique_by(.digest)[] | "\(.digest[7:]) \(.size)"' | sort
}

second="$("$root/scripts/engine.sh" start "$work/second")"
measure push 1
whole_upload=$uploaded
measure pull 1
whole_download=$downloaded

echo second >"$project/ragstream/config/version"
build "${arguments[@]}" --build-arg REVISION=def --tag app:2 "$project"
start_shell 2
check "new code changes two layers: the code and its byte code" equal "$(count_new_layers 1 2)" 2
check "without an ignore file, private files also stay out" equal "$(in_image 2 find /app -maxdepth 1 -name '.env' -o -name 'private*')" ''
measure push 2
upload=$uploaded pushed="$blobs_moved"
measure pull 2
download=$downloaded pulled="$blobs_moved"
new="$(join -v 2 <(blobs 1) <(blobs 2))"
new_digests="$(cut -d' ' -f1 <<<"$new")"
new_bytes=$(($(manifest 2 | wc -c) + $(awk '{ sum += $2 } END { print sum }' <<<"$new")))
header_bytes=16384   # of all requests and responses
is_small() { at_most "$1" $((new_bytes + header_bytes)) && at_most "$1" $(($2 / 1000)); } # is_small BYTES WHOLE
check "a code-only push uploads the new layers and the image's configuration only" equal "$pushed" "$new_digests"
check "  which are $(with_commas "$upload") of $(with_commas "$whole_upload") bytes" is_small "$upload" "$whole_upload"
check "its pull downloads the same blobs only" equal "$pulled" "$new_digests"
check "  which are $(with_commas "$download") of $(with_commas "$whole_download") bytes" is_small "$download" "$whole_download"
check "the pulled image has the new code" equal "$(DOCKER_HOST="$second" docker run --rm "$image:2" cat ragstream/config/version)" second

finish_checks
