#!/bin/sh
# Follows what the mesh says, in whichever mode it runs. A service stands for its app and its sidecar.
#
#   scripts/logs.sh [service=orders] [follow=0] [--mode processes|containers]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
options "$@"
need_mesh

service='' follow=1
for argument in $rest; do
  case $argument in
    service=*) service=${argument#service=} ;;
    follow=*) follow=${argument#follow=} ;;
    *) fail "what is $argument? scripts/logs.sh [service=orders] [follow=0]" ;;
  esac
done

[ "$mode" = containers ] || exec make logs service="$service" follow="$follow"
names=''
if [ -n "$service" ]; then
  known=$(docker compose config --services)
  names=$(printf '%s\n' "$known" | grep -xE "$service(-dapr)?") ||
    fail "there is no service $service; there are $(printf '%s\n' "$known" | grep -vE -- '-(dapr|pod)$' | sort | tr '\n' ' ')"
fi
[ "$follow" = 0 ] || set -- --follow
[ "$follow" != 0 ] || set --
# shellcheck disable=SC2086 # one word a container
exec docker compose logs --tail 100 "$@" $names
