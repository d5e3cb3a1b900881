#!/usr/bin/env bash
# Runs the audit of action.yml: every input comes by the environment and goes to oaudit as one argument, whatever stands
# in it. Annotations go to stdout, reports into a folder, the exit code to whoever looks at the step.
set -euo pipefail

usage() {
  printf '::error title=oaudit::%s\n' "$*"
  exit 2
}

arguments=(audit)

# A flag with its value, if there is one.
flag() {
  if [ -n "$2" ]; then arguments+=("$1=$2"); fi
}

# A flag without a value: true or false.
switch() {
  case "$2" in
    true) arguments+=("$1") ;;
    '' | false) ;;
    *) usage "$1 is true or false, not $2" ;;
  esac
}

# A flag for every line.
each() {
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    if [ -n "${line// /}" ]; then arguments+=("$1=$line"); fi
  done <<<"$2"
}

flag --issuer "${INPUT_ISSUER:-}"
flag --resource "${INPUT_RESOURCE:-}"
flag --profile "${INPUT_PROFILE:-}"
flag --mcp-version "${INPUT_MCP_VERSION:-}"
flag --config "${INPUT_CONFIG:-}"
flag --agent "${INPUT_AGENT:-}"
flag --username "${INPUT_USERNAME:-}"
flag --offline "${INPUT_OFFLINE:-}"
flag --baseline "${INPUT_BASELINE:-}"
flag --fail-on "${INPUT_FAIL_ON:-}"
flag --sarif-anchor "${INPUT_SARIF_ANCHOR:-}"
each --select "${INPUT_SELECT:-}"
each --ignore "${INPUT_IGNORE:-}"
switch --strict "${INPUT_STRICT:-}"
switch --allow-incomplete "${INPUT_ALLOW_INCOMPLETE:-}"
switch --yes "${INPUT_OWNER_AUTHORIZED:-}"
while IFS= read -r line || [ -n "$line" ]; do
  line=${line%$'\r'}
  if [ -n "$line" ]; then arguments+=("$line"); fi
done <<<"${INPUT_ARGS:-}"

folder=${RUNNER_TEMP:-/tmp}/oaudit-reports
rm -rf "$folder"
mkdir -p "$folder"
# This format also writes the summary of the step.
arguments+=(--format github)
for report in json=oaudit.json sarif=oaudit.sarif junit=oaudit.xml html=oaudit.html markdown=oaudit.md; do
  arguments+=(-o "${report%%=*}=$folder/${report#*=}")
done
if [ -n "${INPUT_TARGET:-}" ]; then arguments+=(-- "$INPUT_TARGET"); fi

code=0
oaudit "${arguments[@]}" || code=$?

{
  echo "exit-code=$code"
  echo "folder=$folder"
} >>"$GITHUB_OUTPUT"
if [ -f "$folder/oaudit.sarif" ]; then echo "sarif=$folder/oaudit.sarif" >>"$GITHUB_OUTPUT"; fi
if [ ! -f "$folder/oaudit.json" ]; then
  echo "::error title=oaudit::it ended with exit code $code before there was a report; the log says why"
fi
exit "$code"
