#!/usr/bin/env bash
# Usage: packaging/catalog.sh >ragagent.catalog
# Creates the journal catalog (journalctl -x) from docs/messages.md. Each heading '### `name`' becomes an entry, and the line
# after it the subject. The agent derives the same message ID from the name: the first half of the SHA-256 of 'ragagent:name'.
# journalctl doesn't wrap entries, so this wraps paragraphs and list items. Indented commands stay as they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
width=100

message_id() { printf 'ragagent:%s' "$1" | sha256sum | cut -c1-32; }

# Prints the collected paragraph and starts the next one. Text in backticks stays on one line, so that it can be copied.
paragraph=() hang=''
flush() {
  local word piece='' ticks line=''
  for word in "${paragraph[@]}"; do
    piece+="${piece:+ }$word" ticks="${piece//[^\`]/}"
    ((${#ticks} % 2 == 0)) || continue
    if [[ -z $line ]]; then
      line="$piece"
    elif ((${#line} + 1 + ${#piece} <= width)); then
      line+=" $piece"
    else
      printf '%s\n' "$line"
      line="$hang$piece"
    fi
    piece=''
  done
  [[ -z $line ]] || printf '%s\n' "$line"
  paragraph=() hang=''
}

echo "# RagAgent's messages, generated from docs/messages.md by packaging/catalog.sh"
state=outside blank=''
while IFS= read -r line; do
  if [[ $line =~ ^###\ \`([a-z0-9-]+)\`$ ]]; then
    flush
    state=subject blank=''
    printf '\n-- %s\n' "$(message_id "${BASH_REMATCH[1]}")"
  elif [[ $line == '#'* ]]; then
    flush
    state=outside
  elif [[ $state == subject && -n $line ]]; then
    printf 'Subject: %s\nDefined-By: RagAgent\nDocumentation: man:ragagent(8)\n\n' "$line"
    state=gap
  elif [[ $state == gap || $state == text ]]; then
    if [[ -z $line ]]; then
      flush
      [[ $state == gap ]] || blank=$'\n'
      continue
    fi
    state=text
    printf '%s' "$blank"
    blank=''
    if [[ $line == '    '* ]]; then
      flush
      printf '%s\n' "$line"
    else
      if [[ $line == '- '* ]]; then
        flush
        hang='  '
      fi
      read -ra words <<<"$line"
      paragraph+=("${words[@]}")
    fi
  fi
done <docs/messages.md
flush
