#!/bin/sh
# Stops the mesh and drops its data, in whichever mode it runs; it asks first. In containers secrets go as well.
#
#   scripts/reset.sh [--yes] [--mode processes|containers]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
options "$@"
sure=
for argument in $rest; do
  case $argument in
    --yes | -y) sure=1 ;;
    *) fail "what is $argument? scripts/reset.sh [--yes]" ;;
  esac
done

# A mesh that is stopped has data as well.
find_mode || {
  if [ -n "$(docker compose ps --all --quiet 2> /dev/null)" ]; then
    mode=containers
  elif [ -d .data ]; then
    mode=processes
  else
    fail 'there is no mesh here whose mode could be seen; say --mode containers or --mode processes'
  fi
}
if [ "$mode" = containers ]; then
  what="the containers of this folder's compose project and all of their volumes: orders, accounts, secrets"
else
  what='the databases and the broker in .data (secrets and logs are kept)'
fi

if [ -z "$sure" ]; then
  [ -t 0 ] || fail "this drops $what. Nobody is there to be asked: say --yes"
  printf 'This drops %s. Go on? [y/N] ' "$what"
  read -r answer
  case $answer in y | Y | yes) ;; *) fail 'nothing was changed' ;; esac
fi

[ "$mode" = containers ] || exec make reset
# Profiles too, or their containers would keep networks and volumes.
docker compose --profile '*' down --volumes --remove-orphans
printf 'Dropped. docker compose up -d --wait starts with the seed data, and new secrets.\n'
