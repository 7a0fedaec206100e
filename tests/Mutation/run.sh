#!/usr/bin/env bash
# Usage: tests/Mutation/run.sh [PLACE…] [-- OPTION…]
# Mutation testing of the core's rules: which small changes of a rule does no test notice? A PLACE is a
# folder or a file to mutate, or one to leave out with a minus before it; all rules if none is given.
# It takes an hour or two and can be interrupted: the same command continues. After new tests, add
# '-- --again'. To begin from the start, delete dist/mutation. See README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

places=()
while [[ $# -gt 0 && $1 != -- ]]; do places+=("$1"); shift; done
[[ ${1:-} != -- ]] || shift
if [[ ${#places[@]} -eq 0 ]]; then
  # The runtime runs what the rules decide; it decides nothing.
  places=(src/RagAgent/Supervision -src/RagAgent/Supervision/Runtime src/RagAgent/Reporting/RolloutPhaseName.cs)
fi

mkdir -p dist/mutation
dotnet build tests/Mutation -c Release -nologo -v quiet
exec dotnet tests/Mutation/bin/Release/net10.0/Mutation.dll --work dist/mutation "$@" "${places[@]}"
