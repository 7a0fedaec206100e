#!/usr/bin/env bash
# Usage: packaging/catalog.sh >ragagent.catalog
# Makes the journal's catalog (journalctl -x) of docs/messages.md: each '### `name`' there is an entry, its first line the subject.
# An entry's number follows from its name alone, as the agent makes it: the first half of the SHA-256 of 'ragagent:name'.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

number() { printf 'ragagent:%s' "$1" | sha256sum | cut -c1-32; }

echo "# RagAgent's messages, made of docs/messages.md by packaging/catalog.sh"
name='' state=outside blank=''
while IFS= read -r line; do
  if [[ $line =~ ^###\ \`([a-z0-9-]+)\`$ ]]; then
    name="${BASH_REMATCH[1]}" state=subject
    printf '\n-- %s\n' "$(number "$name")"
  elif [[ $line == '#'* ]]; then
    state=outside
  elif [[ $state == subject && -n $line ]]; then
    printf 'Subject: %s\nDefined-By: RagAgent\nDocumentation: man:ragagent(8)\n\n' "$line"
    state=gap
  elif [[ $state == gap && -n $line ]]; then
    echo "$line"
    state=text blank=''
  elif [[ $state == text ]]; then
    if [[ -z $line ]]; then blank=$'\n'; else printf '%s%s\n' "$blank" "$line"; blank=''; fi
  fi
done <docs/messages.md
