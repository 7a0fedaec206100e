#!/usr/bin/env bash
# Usage: scripts/check-workflow.sh
# Runs .github/workflows/deploy.yml without GitHub: its expressions are evaluated by GitHub's own library, and its shell
# steps run as a runner runs them, against a registry and images made here. What its actions do with their inputs can't
# be tried here: buildx is no part of Debian. One line a point, exit 1 when one failed.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
command -v npm >/dev/null || "$root/scripts/apt-install.sh" nodejs npm
"$root/scripts/apt-install.sh" docker-registry jq curl
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

# --- What GitHub knows at a run, as far as the workflow asks; each check says by a jq filter what is different.
cat >"$work/contexts.json" <<'JSON'
{
  "github": { "event_name": "workflow_dispatch", "ref": "refs/heads/main", "sha": "0123456789abcdef0123456789abcdef01234567",
              "repository": "owner/app", "server_url": "https://github.example", "event": {} },
  "vars": {},
  "secrets": { "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "not-a-secret" },
  "steps": {}
}
JSON
workflow="$root/.github/workflows/deploy.yml"
job() { jq "$1" "$work/contexts.json" | node "$root/scripts/lint/job.js" "$workflow" image; } # job FILTER
runs() { job "$1" | jq .runs; }
step() { job "$1" | jq --raw-output --arg step "$2" ".steps[] | select(.id == \$step or .name == \$step or (.uses // \"\" | startswith(\$step + \"@\"))) | $3"; } # step FILTER NAME JQ

# Runs a shell step in the folder where this is called, as a runner does: nothing of this shell's environment but PATH.
run_step() { # run_step FILTER NAME
  local described shell=(bash -e) environment=()
  described="$(job "$1")"
  jq --exit-status --raw-output --arg name "$2" '.steps[] | select(.name == $name).run' <<<"$described" >"$work/step.sh" ||
    { echo "There is no step '$2'."; return 1; }
  [[ "$(jq --raw-output .shell <<<"$described")" != bash ]] || shell=(bash --noprofile --norc -eo pipefail)
  mapfile -d '' environment < <(jq --join-output --arg name "$2" '.env + (.steps[] | select(.name == $name).env) | to_entries[] | "\(.key)=\(.value)\u0000"' <<<"$described")
  : >"$work/summary"
  env -i "PATH=$work/bin:$PATH" "HOME=$work/home" "RUNNER_TEMP=$work/temp" "GITHUB_STEP_SUMMARY=$work/summary" "${environment[@]}" "${shell[@]}" "$work/step.sh"
}
mkdir "$work"/{bin,home,temp,empty,project}

# --- When it runs.
check "it is started by hand, by a tag deploy-*, or by a push to main that changes what the image is made of" equal "$(job . | jq --compact-output .on)" \
  '{"workflow_dispatch":null,"push":{"branches":["main"],"tags":["deploy-*"],"paths":["ragstream/**","data/agents/**","requirements.txt","Dockerfile.streamlit","Dockerfile.streamlit.dockerignore",".github/workflows/deploy.yml"]}}'
pushed() { printf '.github += { event_name: "push", ref: "%s", event: { head_commit: { message: "%s" } } }' "$1" "$2"; } # pushed REF MESSAGE
check "by hand it runs whatever the last commit says" equal "$(runs .)" true
check "a tag runs whatever its commit says" equal "$(runs "$(pushed refs/tags/deploy-1 'a fix')")" true
check "a push to main runs when its last commit says [deploy]" equal "$(runs "$(pushed refs/heads/main 'a fix [deploy]')")" true
check "a push to main that does not say so does not run" equal "$(runs "$(pushed refs/heads/main 'how to deploy')")" false
check "a push without a commit does not run" equal "$(runs '.github += { event_name: "push", event: { head_commit: null } }')" false
check "a branch that is called like a tag does not run" equal "$(runs "$(pushed refs/heads/deploy-1 'a fix')")" false
check "no run ends another one" equal "$(job . | jq --compact-output .concurrency)" '{"group":"ecr-push","cancel-in-progress":false}'
check "it may read the code and ask for a token, nothing else" equal "$(job . | jq --compact-output .permissions)" \
  '{"workflow":{"contents":"read"},"job":{"contents":"read","id-token":"write"}}'

# --- What the actions are asked for.
role='.vars.AWS_DEPLOY_ROLE = "arn:aws:iam::123456789012:role/ragstream-push"'
credentials() { step "$1" aws-actions/configure-aws-credentials '.with | "\(."role-to-assume") \(."aws-access-key-id") \(."aws-secret-access-key")"'; }
build() { step "$1" build "$2"; }
check "without a role it logs in with the keys" equal "$(credentials .)" ' AKIATEST not-a-secret'
check "with a role no key is used, also when there still is one" equal "$(credentials "$role")" 'arn:aws:iam::123456789012:role/ragstream-push  '
check "region and repository have defaults" equal "$(job . | jq --raw-output '.env | "\(.REGION) \(.REPOSITORY)"')" 'eu-central-1 ragstream-web'
check "what is pushed has one fixed time, and gzip" equal "$(build . '"\(.env.SOURCE_DATE_EPOCH) \(.with.outputs)"')" '1767225600 type=image,push=true,rewrite-timestamp=true'
check "LAYER_COMPRESSION=zstd makes all layers zstd, in OCI's format" equal "$(build '.vars.LAYER_COMPRESSION = "zstd"' .with.outputs)" \
  'type=image,push=true,rewrite-timestamp=true,compression=zstd,force-compression=true,oci-mediatypes=true'
check "an attestation is there when it is asked for only" equal "$(build . .with.provenance) $(build '.vars.PROVENANCE = "mode=min"' .with.provenance) $(build . .with.sbom)" 'false mode=min false'
check "MODELS, the commit and the repository reach the Dockerfile" equal "$(build '.vars.MODELS = "org/one two"' '.with."build-args"')" \
  "REVISION=0123456789abcdef0123456789abcdef01234567
SOURCE=https://github.example/owner/app
MODELS=org/one two"
known() { comm -23 <(build . '.with."build-args"' | sed 's/=.*//; /^$/d' | sort) <(sed -n 's/^ARG \([A-Z_]*\).*/\1/p' "$root/Dockerfile.streamlit" | sort); }
check "each argument is one that the Dockerfile has" equal "$(known)" ''
check "no label tells the time of the run" equal "$(build . .with.labels)" null
check "latest, the commit and the tag are pushed" equal "$(step . metadata .with.tags)" \
  'type=raw,value=latest
type=sha,format=long,prefix=
type=ref,event=tag'

# --- The first step, in the right folder and in wrong ones.
guard="Can it be built and pushed?"
mkdir -p "$work/project"/{ragstream,data/agents}
touch "$work/project"/{requirements.txt,Dockerfile.streamlit,Dockerfile.streamlit.dockerignore}
guarded() { (cd "$1" && run_step "$2" "$guard"); } # guarded FOLDER FILTER
passes() { equal "$(guarded "$work/project" "$1")" ''; }
refused() { # refused FILTER BEGINNING-OF-THE-ONLY-ERROR
  local said
  ! said="$(guarded "$work/project" "$1")" || { echo "It was let through: $said"; return 1; }
  equal "$(wc -l <<<"$said")" 1 && contains "$said" "::error::$2"
}
missing() { # missing FILE
  local aside="$work/aside" said
  mv "$work/project/$1" "$aside"
  said="$(refused . "$1 is missing. This workflow belongs in the app's repository")" || { echo "$said"; mv "$aside" "$work/project/$1"; return 1; }
  mv "$aside" "$work/project/$1"
}
check "the first step lets the app's repository through" passes .
check "and every setting that can be meant" passes "$role"' | .secrets = {} | .vars += { AWS_REGION: "us-gov-west-1", ECR_REPOSITORY: "team/rag.stream_web-1",
  LAYER_COMPRESSION: "zstd", PROVENANCE: "mode=max", MODELS: "lightonai/GTE-ModernColBERT-v1 naver/splade-cocondenser-ensembledistil" }'
while IFS= read -r needed; do check "it says that $needed is missing" missing "$needed"; done < <(job . | jq --raw-output '.on.push.paths[] | select(startswith(".github") | not) | sub("/\\*\\*$"; "")')
# The whole list at once, and nothing that a change of would not start it.
all_missing() { { guarded "$work/empty" '.secrets = {} | .vars.PROVENANCE = "yes"' || true; } | sed 's/ .*//' | tr '\n' ' '; }
check "in another repository it says all that is wrong at once" equal "$(all_missing)" \
  '::error::ragstream ::error::data/agents ::error::requirements.txt ::error::Dockerfile.streamlit ::error::Dockerfile.streamlit.dockerignore ::error::There ::error::The '
check "nothing to log in with" refused '.secrets = {}' "There is nothing to log in to AWS with. Set the variable AWS_DEPLOY_ROLE, or both secrets"
check "half a key" refused 'del(.secrets.AWS_SECRET_ACCESS_KEY)' "There is nothing to log in to AWS with."
check "a role's name instead of its ARN" refused '.vars.AWS_DEPLOY_ROLE = "ragstream-push"' "The variable AWS_DEPLOY_ROLE is 'ragstream-push', which is no role's ARN"
check "a zone instead of a region" refused '.vars.AWS_REGION = "eu-central-1a"' "The variable AWS_REGION is 'eu-central-1a', which is no region."
check "a registry's address in the repository" refused '.vars.ECR_REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ragstream-web:latest"' "The variable ECR_REPOSITORY is "
check "a compression that nobody knows" refused '.vars.LAYER_COMPRESSION = "zst"' "The variable LAYER_COMPRESSION is 'zst'. It can be gzip or zstd."
check "an attestation that nobody knows" refused '.vars.PROVENANCE = "true"' "The variable PROVENANCE is 'true'. It can be false, mode=min or mode=max."
check "models with commas" refused '.vars.MODELS = "org/one, org/two"' "The variable MODELS is 'org/one, org/two', which are no names of models"
# shellcheck disable=SC2016 # it is the very text
check "a model that is code" refused '.vars.MODELS = "one; $(touch /tmp/x)"' "The variable MODELS is 'one; \$(touch /tmp/x)', which are no names of models"
check "models on two lines, of which the second would be another argument" refused '.vars.MODELS = "one\nPIP_INDEX_URL=x"' "The variable MODELS is 'one"

# --- The steps around the build, with images in a registry. buildx is played by what it does: it gets a manifest.
start_registry "$work"
started+=("$registry_pid")
cat >"$work/bin/docker" <<'SH'
#!/usr/bin/env bash
[[ "$1 $2 $3 $4" == "buildx imagetools inspect --raw" && $# == 5 ]] || { echo "docker: what is '$*'?" >&2; exit 64; }
host="${5%%/*}" path="${5#*/}"
if [[ $path == *@* ]]; then name="${path%@*}" reference="${path#*@}"; else name="${path%:*}" reference="${path#*:}"; fi
exec curl --silent --show-error --fail --header 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' \
  --header 'Accept: application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json' \
  "http://$host/v2/$name/manifests/$reference"
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
in_registry() { curl --silent --fail --head --header 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$registry/v2/ragstream-web/manifests/latest" | sed -n 's/^Docker-Content-Digest: \(.*\)\r$/\1/Ip'; }
# What the registry has on its disk for a manifest's layers, in the words of the summary.
stored() { # stored JQ-OF-LAYER-DIGESTS
  local digest sum=0 count=0
  while IFS= read -r digest; do
    sum=$((sum + $(stat --format %s "$work/registry/docker/registry/v2/blobs/sha256/${digest:7:2}/${digest:7}/data"))) count=$((count + 1))
  done
  jq --null-input --raw-output --argjson sum "$sum" --argjson count "$count" '"\($count) layers, \($sum / 1e4 | ceil / 100) MB"'
}
# The layers of AFTER from the first one that BEFORE has not in its place: an engine uses a layer again on top of the same layers only.
above() { awk 'NR == FNR { before[FNR] = $0; next } before[FNR] != $0 { differs = 1 } differs' "$1" "$2" | sort --unique; } # above BEFORE AFTER
layers() { curl --silent --fail --header 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$registry/v2/ragstream-web/manifests/$1" | jq --raw-output '.layers[].digest'; }

registry_host=".steps.ecr.outputs.registry = \"$registry\""
looked() { run_step "$registry_host" "Look at what is there"; }
summary() { # summary DIGEST [HOST]: prints it, and how the step ended when that was not well
  run_step ".steps.ecr.outputs.registry = \"${2:-$registry}\" | .steps.metadata.outputs.tags = \"$image:latest\\n$image:deploy-1\" | .steps.build.outputs.digest = \"$1\"" "Say what was pushed" >"$work/out" 2>"$work/err" || { echo "The step ended with $?."; cat "$work/err"; }
  cat "$work/summary"
}
tells() { if [[ $1 == "The step ended"* ]]; then echo "$1"; return 1; fi; contains "$1" "$2"; } # tells SUMMARY TEXT

check "before the first push there is nothing to compare with, which is no failure" contains "$(looked 2>&1)" "There is no latest that could be read"
first="$(push 1 --ballast 3m)"
said="$(summary "$first")"
check "the summary tells the digest that the registry has" tells "$said" "Digest \`$(in_registry)\`"
check "the tags" tells "$said" "$image:latest
$image:deploy-1
"
check "the size, as the registry holds it" tells "$said" "- Compressed: $(layers "$first" | sort --unique | stored)."
check "and that there was none before" tells "$said" "- The first \`latest\` that could be compared"

check "the next run looks at what is there" looked
second="$(push 2 --ballast 3m)"
said="$(summary "$second")"
check "its summary tells what an instance pulls: the layers that are new" tells "$said" \
  "- New since the last \`latest\`, and all that an instance pulls that has it: $(above <(layers "$first") <(layers "$second") | stored)."

looked
check "a run that pushes the same image says so" tells "$(summary "$second")" "- The same image as before: no agent has anything to do."

jq --compact-output '.layers |= [.[1], .[0], .[2:][]]' "$work/temp/before" >"$work/temp/swapped" && mv "$work/temp/swapped" "$work/temp/before"
check "layers that lie on other ones than before are pulled again, and counted" tells "$(summary "$second")" "that has it: $(layers "$second" | sort --unique | stored)."

looked
jq --compact-output '.config.digest = "sha256:0"' "$work/temp/before" >"$work/temp/other" && mv "$work/temp/other" "$work/temp/before"
check "of an image that only starts in another way no layer is" tells "$(summary "$second")" "that has it: 0 layers, 0 MB."

# An attestation beside the image, as buildx puts it there.
put_index() {
  jq --null-input --compact-output --arg digest "$second" --argjson size "$(curl --silent "http://$registry/v2/ragstream-web/manifests/$second" --header 'Accept: application/vnd.docker.distribution.manifest.v2+json' | wc -c)" '
    def entry(os; architecture): { mediaType: "application/vnd.docker.distribution.manifest.v2+json", digest: $digest, size: $size, platform: { os: os, architecture: architecture } };
    { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [entry("unknown"; "unknown"), entry("linux"; "amd64")] }' >"$work/index"
  curl --silent --fail --request PUT --header 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary "@$work/index" "http://$registry/v2/ragstream-web/manifests/latest"
}
looked
put_index
said="$(summary "sha256:$(sha256sum "$work/index" | cut -d' ' -f1)")"
check "of an image with an attestation it tells the image's size" tells "$said" "- Compressed: $(layers "$second" | sort --unique | stored)."
check "and that the image in it is the same" tells "$said" "- The same image as before"

said="$(summary "$second" 127.0.0.1:1)"
check "a registry that does not answer any more fails no run that has pushed: the digest is told" tells "$said" "Digest \`$second\`"
check "and a warning" contains "$(cat "$work/out")" "::warning::The image is pushed, but its size could not be read"

finish_checks
