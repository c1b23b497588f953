#!/bin/sh
# One of the project's tools by its name, beside a mesh in containers: cli.sh token user=ada
set -eu
tool=${1:-people}
[ $# -eq 0 ] || shift
for file in "tools/$tool.ts" "tools/$tool/cli.ts"; do
  [ ! -f "$file" ] || exec node "$file" "$@"
done
echo "there is no tool $tool; there are people, token, mails, db, audit, redrive, replay, developer-tools" >&2
exit 2
