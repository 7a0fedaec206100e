#!/usr/bin/env bash
# Usage: tests/Mutation/run.sh [PLACE…] [-- OPTION…]
# Mutation testing of the core's rules: which small changes of a rule does no test notice? A PLACE is a
# folder or a file to mutate, or one to leave out with a minus before it; all rules if none is given.
# It takes an hour or two and can be interrupted: the same command continues. After new tests, add
# '-- --again'. To begin from the start, delete dist/mutation. See README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

core=src/RagAgent/Supervision
places=()
while [[ $# -gt 0 && $1 != -- ]]; do places+=("$1"); shift; done
[[ ${1:-} != -- ]] || shift
if [[ ${#places[@]} -eq 0 ]]; then
  places=("$core")
  # What runs effects, talks or only holds data is no rule.
  for file in AgentClock EffectRunner Log Narrator StateBoard Supervisor ForeignText Ports IDoor IPulse Event Effect Problem Release; do
    places+=("-$core/$file.cs")
  done
fi

mkdir -p dist/mutation
dotnet build tests/Mutation -c Release -nologo -v quiet
exec dotnet tests/Mutation/bin/Release/net10.0/Mutation.dll --work dist/mutation "$@" "${places[@]}"
