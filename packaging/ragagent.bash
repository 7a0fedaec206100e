# Completion of ragagent's command line for bash: the program itself knows its commands and options.
_ragagent() {
  local IFS=$'\n'
  # shellcheck disable=SC2207 # a line a word, as IFS says; nobody here asks for help with a slash
  COMPREPLY=($(compgen -X '/*' -W "$("$1" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "$2"))
}
complete -o default -F _ragagent ragagent
