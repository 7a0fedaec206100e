# bash completion for ragagent. The program itself suggests its commands and options.
_ragagent() {
  local IFS=$'\n'
  # shellcheck disable=SC2207 # one word per line, because of IFS
  COMPREPLY=($(compgen -X '/*' -W "$("$1" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "$2"))
}
complete -o default -F _ragagent ragagent
