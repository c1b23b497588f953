#!/bin/sh
# Gets everything ready: in containers (the default) it builds, starts and waits for the mesh; for processes it installs.
#
#   scripts/setup.sh [--mode containers|processes]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
options "$@"

if [ "${mode:=containers}" = processes ]; then
  make setup
  printf '\nmake up starts the mesh.\n'
  exit 0
fi

section 'Docker'
docker_checks || true
[ "$problems" -eq 0 ] || finish

section 'Settings'
if [ -f .env ]; then
  ok '.env' 'is there and stays as it is'
else
  cp .env.example .env
  ok '.env' 'copied from .env.example: all defaults'
fi

section 'Images'
docker compose build --quiet
ok 'images' 'built'

section 'The mesh'
docker compose up -d --wait --quiet-pull || fail '
It did not become healthy. What each container is: docker compose ps --all; what it says: scripts/logs.sh service=…; and docs/TROUBLESHOOTING.md'
ok 'the mesh' 'healthy'

public=$(docker compose config --format json | sed -n 's/.*"PUBLIC_URL": *"\([^"]*\)".*/\1/p' | head -n 1)
cat << END

  $public/shop            the shop
  $public/openapi.json    its API
  docker compose run --rm cli people                  who can sign in
  docker compose run --rm cli audit                   is anything lost?
  scripts/test-service-communication.sh               who talks to whom
  docker compose down                                 stop; the data stays
END
