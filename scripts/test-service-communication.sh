#!/bin/sh
# Has each service of the running mesh call, through its own sidecar, everyone that its contract lets it call, and those that it must
# not; places an order, and looks for its events at every consumer. What came of it is drawn as a matrix.
#
#   scripts/test-service-communication.sh [--json] [--mode processes|containers]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
options "$@"
need_mesh

probe() {
  if [ "$mode" = containers ]; then
    docker compose exec -T "$1" node tools/communication/probe.ts "$1" < /dev/null
  else
    tool communication/probe "$1" < /dev/null
  fi
}

# One that cannot be asked is missing in what is read, and so a problem.
sed -n 's/^ *- appID: *//p' dapr-config/dapr.yaml | while read -r caller; do
  probe "$caller" || printf '%s could not be asked\n' "$caller" >&2
done | tool communication ${json:+--json}
