#!/usr/bin/env bash
# Usage: packaging/catalog.sh >ragagent.catalog
# Creates the journal catalog (journalctl -x) from docs/messages.md. Each heading '### `name`' becomes an entry, and the line
# after it the subject. The agent derives the same message ID from the name: the first half of the SHA-256 of 'ragagent:name'.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

message_id() { printf 'ragagent:%s' "$1" | sha256sum | cut -c1-32; }

echo "# RagAgent's messages, generated from docs/messages.md by packaging/catalog.sh"
name='' state=outside blank=''
while IFS= read -r line; do
  if [[ $line =~ ^###\ \`([a-z0-9-]+)\`$ ]]; then
    name="${BASH_REMATCH[1]}" state=subject
    printf '\n-- %s\n' "$(message_id "$name")"
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
