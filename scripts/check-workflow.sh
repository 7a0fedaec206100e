#!/usr/bin/env bash
# Usage: scripts/check-workflow.sh
# Runs .github/workflows/deploy.yml without GitHub. GitHub's own library evaluates its expressions. Its shell steps run as
# on a runner, against a local registry and images built here. The actions it uses are not run: only their inputs are checked.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
command -v npm >/dev/null || "$root/scripts/apt-install.sh" nodejs npm
"$root/scripts/apt-install.sh" docker-registry jq curl git python3
work="$(mktemp -d /tmp/ragflow.XXXXXX)"
started=()
cleanup() {
  "$root/scripts/engine.sh" stop "$work/engine" || true
  ((${#started[@]} == 0)) || kill "${started[@]}" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
# shellcheck source=scripts/processes.sh
source "$root/scripts/processes.sh"
"$root/scripts/lint/install.sh"

# shellcheck source=scripts/checks.sh
source "$root/scripts/checks.sh"

# --- What GitHub provides to a run, as far as the workflow uses it. Each check changes it with a jq filter.
cat >"$work/contexts.json" <<'JSON'
{
  "github": { "event_name": "workflow_dispatch", "ref": "refs/heads/main", "sha": "0123456789abcdef0123456789abcdef01234567",
              "event": {} },
  "runner": { "temp": "/runner-temp" },
  "vars": {},
  "secrets": { "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "not-a-secret" },
  "steps": {}
}
JSON
workflow="$root/.github/workflows/deploy.yml"
job_name=image
job() { jq "$1" "$work/contexts.json" | node "$root/scripts/lint/job.js" "$workflow" "$job_name"; } # job FILTER
runs() { job "$1" | jq .runs; } # runs FILTER
step() { # step FILTER NAME JQ: NAME is a step's id, its name or its action
  job "$1" | jq --raw-output --arg step "$2" \
    ".steps[] | select(.id == \$step or .name == \$step or (.uses // \"\" | startswith(\$step + \"@\"))) | $3"
}

# Runs a shell step in the current folder as a runner does, with nothing but PATH of this environment.
run_step() { # run_step FILTER NAME
  local description shell=(bash -e) environment=()
  description="$(job "$1")"
  jq --exit-status --raw-output --arg name "$2" '.steps[] | select(.name == $name).run' <<<"$description" >"$work/step.sh" ||
    { echo "There is no step '$2'."; return 1; }
  [[ "$(jq --raw-output .shell <<<"$description")" != bash ]] || shell=(bash --noprofile --norc -eo pipefail)
  mapfile -d '' environment < <(jq --join-output --arg name "$2" \
    '.env + (.steps[] | select(.name == $name).env) | to_entries[] | "\(.key)=\(.value)\u0000"' <<<"$description")
  : >"$work/summary"
  : >"$work/step-output"
  env -i "PATH=$work/bin:$PATH" "HOME=$work/home" "RUNNER_TEMP=$work/temp" "GITHUB_STEP_SUMMARY=$work/summary" \
    "GITHUB_OUTPUT=$work/step-output" GITHUB_SHA=0123456789abcdef0123456789abcdef01234567 GITHUB_SERVER_URL=https://github.example \
    GITHUB_REPOSITORY=owner/app GITHUB_WORKFLOW_REF=owner/app/.github/workflows/deploy.yml@refs/heads/main \
    "${environment[@]}" \
    "${shell[@]}" "$work/step.sh"
}
mkdir "$work"/{bin,home,temp,empty,project}

# --- When it runs.
check "a manual start, a tag deploy-* or a push to main triggers it" equal "$(job . | jq --compact-output .on)" \
  '{"workflow_dispatch":null,"push":{"branches":["main"],"tags":["deploy-*"]}}'
pushed() { # pushed REF MESSAGE…: prints a filter
  printf '.github += { event_name: "push", ref: "%s", event: { commits: ' "$1"
  printf '%s\n' "${@:2}" | jq --raw-input '{ message: . }' | jq --slurp --compact-output . | tr -d '\n'
  printf ' } }'
}
deploys() { # deploys FILTER: whether each of the two jobs runs
  echo "$(job_name=image runs "$1") $(job_name=not-deployed runs "$1")"
}
check "started manually, it deploys with any commit message" equal "$(deploys .)" 'true false'
check "on a tag, it deploys with any commit message" equal "$(deploys "$(pushed refs/tags/deploy-1 'a fix')")" 'true false'
check "on a push to main, it deploys if a commit says [deploy], whatever changed" \
  equal "$(deploys "$(pushed refs/heads/main 'a fix [deploy]')")" 'true false'
check "  also if it isn't the last one" equal "$(deploys "$(pushed refs/heads/main 'a fix [deploy]' 'a comment')")" 'true false'
check "on another push to main, it only says so" equal "$(deploys "$(pushed refs/heads/main 'how to deploy')")" 'false true'
check "on a push without a commit, too" equal "$(deploys '.github += { event_name: "push", event: { commits: [] } }')" 'false true'
check "on a branch named like a tag, it does nothing" equal "$(deploys "$(pushed refs/heads/deploy-1 'a fix')")" 'false false'
check "a run doesn't cancel another one" equal "$(job . | jq --compact-output .concurrency)" \
  '{"group":"ecr-push","cancel-in-progress":false}'
check "it may only read the code and request a token" equal "$(job . | jq --compact-output .permissions)" \
  '{"workflow":{"contents":"read"},"job":{"contents":"read","id-token":"write"}}'

# --- The inputs of the actions.
role='.vars.AWS_DEPLOY_ROLE = "arn:aws:iam::123456789012:role/ragstream-push"'
credentials() { # credentials FILTER
  step "$1" aws-actions/configure-aws-credentials '.with | "\(."role-to-assume") \(."aws-access-key-id") \(."aws-secret-access-key")"'
}
push_step() { step "$1" push "$2"; } # push_step FILTER JQ
check "without a role, it logs in with the keys" equal "$(credentials .)" ' AKIATEST not-a-secret'
check "with a role, it uses no key, even if there is one" equal "$(credentials "$role")" \
  'arn:aws:iam::123456789012:role/ragstream-push  '
check "AWS_REGION may be a secret" equal "$(job '.secrets.AWS_REGION = "us-east-2"' | jq --raw-output .env.REGION)" us-east-2
check "  or a variable, which wins" \
  equal "$(job '.secrets.AWS_REGION = "us-east-2" | .vars.AWS_REGION = "eu-west-1"' | jq --raw-output .env.REGION)" eu-west-1
check "region and repository have defaults" equal "$(job . | jq --raw-output '.env | "\(.REGION) \(.REPOSITORY)"')" \
  'eu-central-1 ragstream-web'
check "all files get one fixed time, and layers use gzip" \
  equal "$(job . | jq --raw-output .env.SOURCE_DATE_EPOCH) $(push_step . .with.outputs)" '1767225600 type=image,push=true,rewrite-timestamp=true'
check "the image that is tried has it, too" equal "$(step . build .with.outputs)" type=docker,rewrite-timestamp=true
check "LAYER_COMPRESSION=zstd gives zstd layers with OCI media types" \
  equal "$(push_step '.vars.LAYER_COMPRESSION = "zstd"' .with.outputs)" \
  'type=image,push=true,rewrite-timestamp=true,compression=zstd,force-compression=true,oci-mediatypes=true'
check "only PROVENANCE adds an attestation" \
  equal "$(push_step . .with.provenance) $(push_step '.vars.PROVENANCE = "mode=min"' .with.provenance) $(push_step . .with.sbom)" \
  'false mode=min false'
given='.steps.plan.outputs.arguments = "X=1"'
check "the image, its lock and the push are built with the same arguments" equal \
  "$(job "$given" | jq --compact-output '[.steps[] | select(.uses // "" | startswith("docker/build-push-action")) | .with."build-args"]')" \
  '["X=1","X=1","X=1"]'
check "the push follows the trial" equal "$(job . | jq --compact-output '[.steps[].name | select(. == ("Try the image", "Push what was tried"))]')" \
  '["Try the image","Push what was tried"]'
check "no label contains the time of the run" equal "$(push_step . .with.labels)" null
check "it pushes latest, the commit and the tag" equal "$(step . metadata .with.tags)" \
  'type=raw,value=latest
type=sha,format=long,prefix=
type=ref,event=tag'

# --- The first step, in the app's repository and elsewhere.
mkdir -p "$work/project/.github/workflows"
cp "$root"/Dockerfile.streamlit{,.dockerignore} "$work/project/"
cp "$workflow" "$work/project/.github/workflows/"
first_step() { (cd "$1" && run_step "$2" "Check the repository and the settings"); } # first_step FOLDER FILTER
passes() { equal "$(first_step "$work/project" "$1")" ''; } # passes FILTER
fails() { # fails FILTER MESSAGE: with one error, which begins with MESSAGE
  local output
  ! output="$(first_step "$work/project" "$1")" || { echo "It passed: $output"; return 1; }
  equal "$(wc -l <<<"$output")" 1 && contains "$output" "::error::$2"
}
fails_without() { # fails_without FILE
  local aside="$work/aside" code=0
  mv "$work/project/$1" "$aside"
  fails . "$1 is missing. Copy it into this repository" || code=1
  mv "$aside" "$work/project/$1"
  return "$code"
}
check "the first step passes in the app's repository" passes .
check "  and with every valid setting" passes "$role"' | .secrets = {} | .vars += { AWS_REGION: "us-gov-west-1",
  ECR_REPOSITORY: "team/rag.stream_web-1", LAYER_COMPRESSION: "zstd", PROVENANCE: "mode=max",
  MODELS: "lightonai/GTE-ModernColBERT-v1 naver/splade-cocondenser-ensembledistil" }'
for file in Dockerfile.streamlit{,.dockerignore}; do check "it fails without $file" fails_without "$file"; done
first_words() { { first_step "$work/empty" '.secrets = {} | .vars.PROVENANCE = "yes"' || true; } | sed 's/ .*//' | tr '\n' ' '; }
check "in another repository, it reports all errors at once" equal "$(first_words)" \
  "$(printf '::error::%s ' Dockerfile.streamlit{,.dockerignore} There The)"
fails_beside() { # fails_beside LINE…: with another workflow
  local other="$work/project/.github/workflows/deploy-to-ecr.yml" code=0
  printf '%s\r\n' "$@" >"$other"
  fails . ".github/workflows/deploy-to-ecr.yml also pushes ragstream-web. Two workflows overwrite each other's latest, so delete it: git rm" || code=1
  rm "$other"
  return "$code"
}
# shellcheck disable=SC2016 # GitHub's expressions
check "it fails beside another workflow that pushes the image" fails_beside '  ECR_REPOSITORY: ragstream-web' \
  '          docker push "$ECR_REGISTRY/$ECR_REPOSITORY:$IMAGE_TAG"'
check "  also with the action" fails_beside '      - uses: docker/build-push-action@v6' '          tags: x/ragstream-web:latest'
passes_beside() { # passes_beside LINE…
  local other="$work/project/.github/workflows/tests.yml" code=0
  printf '%s\n' "$@" >"$other"
  passes . || code=1
  rm "$other"
  return "$code"
}
check "  not beside one that pushes another image" passes_beside '    docker push example/api'
check "it fails without credentials" fails '.secrets = {}' \
  "There are no AWS credentials. Set the variable AWS_DEPLOY_ROLE, or the secrets"
check "it fails with half a key" fails 'del(.secrets.AWS_SECRET_ACCESS_KEY)' "There are no AWS credentials."
check "it rejects a role's name instead of its ARN" fails '.vars.AWS_DEPLOY_ROLE = "ragstream-push"' \
  "The variable AWS_DEPLOY_ROLE is 'ragstream-push'. It must be a role's ARN"
check "it rejects a zone instead of a region" fails '.vars.AWS_REGION = "eu-central-1a"' \
  "The variable AWS_REGION is 'eu-central-1a'. It must be a region"
check "it rejects a repository with registry and tag" \
  fails '.vars.ECR_REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ragstream-web:latest"' "The variable ECR_REPOSITORY is "
check "it rejects a version that isn't Python's" fails '.vars.PYTHON_VERSION = "latest"' "The variable PYTHON_VERSION is 'latest'."
check "it rejects a user by name" fails '.vars.APP_UID = "app"' "The variable APP_UID is 'app'. It must be a number"
check "it rejects a release without a checksum" fails '.vars.RAGAGENT_VERSION = "1.2.3"' \
  "The variables RAGAGENT_VERSION and RAGAGENT_SHA256 must be a release"
check "it rejects a second line of APP_FILES" fails '.vars.APP_FILES = "a\nMODELS=x"' "The variable APP_FILES has more than one line."
check "it rejects an unknown compression" fails '.vars.LAYER_COMPRESSION = "zst"' \
  "The variable LAYER_COMPRESSION is 'zst'. It must be gzip or zstd."
check "it rejects an unknown attestation" fails '.vars.PROVENANCE = "true"' \
  "The variable PROVENANCE is 'true'. It must be false, mode=min or mode=max."
check "it rejects models separated by commas" fails '.vars.MODELS = "org/one, org/two"' \
  "The variable MODELS is 'org/one, org/two'. It must be a line of model names"
# shellcheck disable=SC2016 # not expanded on purpose
check "it rejects code as a model" fails '.vars.MODELS = "one; $(touch /tmp/x)"' \
  "The variable MODELS is 'one; \$(touch /tmp/x)'. It must be a line of model names"
check "it rejects a second line, which would be another build argument" fails '.vars.MODELS = "one\nPIP_INDEX_URL=x"' \
  "The variable MODELS is 'one"

# --- Reading the repository.
read_repository() { rm -rf "$work/temp" && mkdir "$work/temp" && (cd "$work/project" && run_step "$1" "Read the repository"); } # FILTER
argument() { sed -n "s/^$1=//p" "$work/step-output"; } # argument NAME
printf '%s\r\n' 'import streamlit' >"$work/project/app.py"
echo 'streamlit>=1.30' >"$work/project/requirements.txt"
check "it says what it found" contains "$(read_repository .)" "Entry file    app.py"
check "  with a warning" contains "$(read_repository .)" "::warning::There is no lock"
check "the Dockerfile gets what the variables say" equal "$(read_repository '.vars += { MODELS: "org/one two", ENTRY: "app.py" }' >/dev/null
  argument ENTRY; argument MODELS; argument APP_UID; argument PYTHON_VERSION; argument REVISION; argument SOURCE; argument TITLE)" \
  'app.py
org/one two
10001
3.11
0123456789abcdef0123456789abcdef01234567
https://github.example/owner/app
ragstream-web'
check "  and knows each of its arguments" equal "$(comm -23 <(sed -nE 's/^([A-Z_]+)=.*/\1/p' "$work/step-output" | sort) \
  <(sed -n 's/^ARG \([A-Z_]*\).*/\1/p' "$root/Dockerfile.streamlit" | sort --unique))" ''
echo 3.13 >"$work/project/.python-version"
check "the Python that the repository asks for is the image's" equal "$(read_repository . | grep -c 'asks for'; argument PYTHON_VERSION)" '0
3.13'
check "  unless a variable says another one" contains "$(read_repository '.vars.PYTHON_VERSION = "3.12"')" "::warning::The repository asks for Python 3.13"
mv "$work/project/app.py" "$work/project/app.txt"
check "without an entry file, it fails and says why" contains "$(read_repository . 2>&1)" "no Python file of this repository imports Streamlit"
mv "$work/project/app.txt" "$work/project/app.py"

# --- A push that isn't deployed.
git() { command git -C "$work/project" -c user.name=x -c user.email=x -c init.defaultBranch=main "$@"; }
git init --quiet
not_deployed() { # not_deployed: prints the summary
  (cd "$work/project" && job_name=not-deployed run_step ".github.event.before = \"$before\"" "Say what is not deployed") >/dev/null 2>&1
  cat "$work/summary"
}
echo notes >"$work/project/.dockerignore"
mkdir "$work/project/notes"
git add . && git commit --quiet --message first && before="$(git rev-parse HEAD)"
echo text >"$work/project/notes/a.md"
git add . && git commit --quiet --message second
check "a push that changes nothing in the image says so" equal "$(not_deployed)" "Nothing in the image changed."
echo 'x = 1' >>"$work/project/app.py"
git commit --quiet --all --message third
# shellcheck disable=SC2016 # Markdown
check "a push that changes the image says what, and how to deploy it" contains "$(not_deployed)" '- `app.py`

To deploy it, start this workflow by hand'
before=0000000000000000000000000000000000000000
# shellcheck disable=SC2016 # Markdown
check "  also for a branch's first push" contains "$(not_deployed)" '- `app.py`'

# --- The trial, with a fake download.
cat >"$work/bin/curl" <<'SH'
#!/usr/bin/env bash
echo "${*: -1}"
cp "$RUNNER_TEMP/release.tar.gz" "$RUNNER_TEMP/ragagent-1.2.3-linux-x64.tar.gz"
SH
chmod +x "$work/bin/curl"
mkdir "$work/temp/release"
printf '%s\n' '#!/bin/sh' 'echo "ragagent $*"' >"$work/temp/release/ragagent"
chmod +x "$work/temp/release/ragagent"
tar --create --gzip --file "$work/temp/release.tar.gz" --directory "$work/temp" release
sum="$(sha256sum "$work/temp/release.tar.gz" | cut -d' ' -f1)"
try() { run_step ".vars += { RAGAGENT_VERSION: \"1.2.3\", RAGAGENT_SHA256: \"$1\" }" "Try the image" 2>&1; } # try SHA256
check "without a release of RagAgent, the image is not tried, with a notice" contains "$(run_step . "Try the image")" \
  "::notice::The image was not tried: set the variables"
check "with one, its release is downloaded and tries the image" equal "$(try "$sum")" \
  "https://github.com/RusbehAbtahi/RagAgent/releases/download/v1.2.3/ragagent-1.2.3-linux-x64.tar.gz
ragagent try ragstream-web:try"
check "another file than the pinned one is not run" contains "$(try "${sum//[0-9]/0}" || true)" "checksum did NOT match"
rm "$work/bin/curl"

# --- The steps before and after the build, with images in a registry. A fake `docker buildx` only fetches a manifest.
start_registry "$work"
started+=("$registry_pid")
cat >"$work/bin/docker" <<'SH'
#!/usr/bin/env bash
[[ "$1 $2 $3 $4" == "buildx imagetools inspect --raw" && $# == 5 ]] || { echo "docker: unexpected arguments '$*'" >&2; exit 64; }
host="${5%%/*}" path="${5#*/}"
if [[ $path == *@* ]]; then name="${path%@*}" reference="${path#*@}"; else name="${path%:*}" reference="${path#*:}"; fi
accept='application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json'
accept+=', application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json'
exec curl --silent --show-error --fail --header "Accept: $accept" "http://$host/v2/$name/manifests/$reference"
SH
chmod +x "$work/bin/docker"
DOCKER_HOST="$("$root/scripts/engine.sh" start "$work/engine")"
export DOCKER_HOST DOCKER_CONFIG="$work/docker"
image="$registry/ragstream-web"
push() { # push VERSION [OPTION…]: prints the digest, as the build action does
  "$root/tests/fake-app/build.sh" --engine "$DOCKER_HOST" --base light --version "$1" --tag "$image:latest" "${@:2}" >/dev/null
  docker push --quiet "$image:latest" >/dev/null
  docker image inspect --format '{{index .RepoDigests 0}}' "$image:latest" | sed 's/.*@//'
}
push_with_packages() { # push_with_packages VERSION PACKAGE…: records packages in a layer of their own, as Dockerfile.streamlit does
  push "$1" --line "USER 0" \
    --line "RUN mkdir -p /usr/share/ragagent && for package in ${*:2}; do echo \"\$package\"; done >/usr/share/ragagent/requirements.lock"
}
manifest() { # manifest REFERENCE [CURL-OPTION…]
  curl --silent --fail "${@:2}" --header 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
    "http://$registry/v2/ragstream-web/manifests/$1"
}
digest_in_registry() { manifest latest --head | sed -n 's/^Docker-Content-Digest: \(.*\)\r$/\1/Ip'; }
layers() { manifest "$1" | jq --raw-output '.layers[].digest'; } # layers REFERENCE
# The layers of AFTER from the first difference to BEFORE on: an engine reuses a layer only on top of the same layers.
new_layers() { # new_layers BEFORE AFTER
  awk 'NR == FNR { before[FNR] = $0; next } before[FNR] != $0 { differs = 1 } differs' <(layers "$1") <(layers "$2") | sort --unique
}
all_layers() { layers "$1" | sort --unique; } # all_layers REFERENCE
stored_size() { # reads digests; prints their size on the registry's disk, worded as in the summary
  local digest sum=0 count=0
  while IFS= read -r digest; do
    sum=$((sum + $(stat --format %s "$work/registry/docker/registry/v2/blobs/sha256/${digest:7:2}/${digest:7}/data")))
    count=$((count + 1))
  done
  jq --null-input --raw-output --argjson sum "$sum" --argjson count "$count" '"\($count) layers, \($sum / 1e4 | ceil / 100) MB"'
}

read_latest() { run_step ".steps.ecr.outputs.registry = \"$registry\"" "Read the current latest"; }
summarize() { # summarize DIGEST [REGISTRY]: prints the summary, or how the step failed
  local filter=".steps.ecr.outputs.registry = \"${2:-$registry}\" | .steps.push.outputs.digest = \"$1\""
  filter+=" | .steps.metadata.outputs.tags = \"$image:latest\\n$image:deploy-1\""
  run_step "$filter" "Summarize the push" >"$work/out" 2>"$work/err" || { echo "The step failed with $?."; cat "$work/err"; }
  cat "$work/summary"
}
says() { if [[ $1 == "The step failed"* ]]; then echo "$1"; return 1; fi; contains "$1" "$2"; } # says SUMMARY TEXT

check "before the first push, the missing latest is not an error" contains "$(read_latest 2>&1)" "The current latest can't be read"
first="$(push 1 --ballast 3m)"
summary="$(summarize "$first")"
check "the summary has the digest" says "$summary" "Digest \`$(digest_in_registry)\`"
check "  the tags" says "$summary" "$image:latest
$image:deploy-1
"
check "  the size in the registry" says "$summary" "- Compressed size: $(all_layers "$first" | stored_size)."
check "  and says that there was no latest before" says "$summary" "- There is no previous \`latest\` to compare with"

check "the next run reads the current latest" read_latest
second="$(push 2 --ballast 3m)"
pulls="- An instance with the previous \`latest\` pulls:"
check "  and its summary says what an instance pulls: the new layers" says "$(summarize "$second")" \
  "$pulls $(new_layers "$first" "$second" | stored_size)."

read_latest
check "a run that pushes the same image says so" says "$(summarize "$second")" "- The image is unchanged: the agent does nothing."

jq --compact-output '.layers |= [.[1], .[0], .[2:][]]' "$work/temp/before" >"$work/temp/swapped"
mv "$work/temp/swapped" "$work/temp/before"
check "layers on top of other layers count as new" says "$(summarize "$second")" "$pulls $(all_layers "$second" | stored_size)."

read_latest
jq --compact-output '.config.digest = "sha256:0"' "$work/temp/before" >"$work/temp/other"
mv "$work/temp/other" "$work/temp/before"
check "an image that only differs in its configuration has no new layers" says "$(summarize "$second")" "$pulls 0 layers, 0 MB."

# An image with an attestation, as buildx pushes it.
push_index() {
  jq --null-input --compact-output --arg digest "$second" --argjson size "$(manifest "$second" | wc -c)" '
    def entry(os; architecture): {
      mediaType: "application/vnd.docker.distribution.manifest.v2+json", digest: $digest, size: $size,
      platform: { os: os, architecture: architecture } };
    { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [entry("unknown"; "unknown"), entry("linux"; "amd64")] }' >"$work/index"
  curl --silent --fail --request PUT --header 'Content-Type: application/vnd.oci.image.index.v1+json' \
    --data-binary "@$work/index" "http://$registry/v2/ragstream-web/manifests/latest"
}
read_latest
push_index
summary="$(summarize "sha256:$(sha256sum "$work/index" | cut -d' ' -f1)")"
check "with an attestation, the size is the image's" says "$summary" "- Compressed size: $(all_layers "$second" | stored_size)."
check "  and the image is compared, not the index" says "$summary" "- The image is unchanged"

mkdir -p "$work/temp/lock"
printf '%s --hash=x\n' numpy==2 streamlit==1.50.0 torch==2.6.0+cpu >"$work/temp/lock/requirements.lock"
first="$(push_with_packages 3 numpy==1 pandas==2.2 streamlit==1.50.0)"
read_latest
check "the summary compares the packages with the previous image's" says "$(summarize "$first")" "- Packages that differ from the previous \`latest\`:

\`\`\`diff
-numpy==1
+numpy==2
-pandas==2.2
+torch==2.6.0+cpu
\`\`\`"
printf '%s --hash=x\n' numpy==1 pandas==2.2 streamlit==1.50.0 >"$work/temp/lock/requirements.lock"
check "  and says if they are the same" says "$(summarize "$first")" "- The packages are those of the previous \`latest\`."
metadata='.steps.build.outputs.metadata = "{\"containerimage.config.digest\":\"sha256:1\"}"'
metadata+=' | .steps.push.outputs.metadata = "{\"containerimage.config.digest\":\"sha256:2\"}"'
check "a push of another image than the tried one is a warning" contains "$(run_step "$metadata" "Summarize the push" 2>&1)" \
  "::warning::The pushed image is not the one that was tried"
summary="$(summarize "$second" 127.0.0.1:1)"
check "if the registry stops answering after the push, the run succeeds with the digest" says "$summary" "Digest \`$second\`"
check "  and a warning" contains "$(cat "$work/out")" "::warning::The image is pushed, but its size could not be read"

finish_checks
