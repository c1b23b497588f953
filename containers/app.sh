#!/bin/sh
# Starts an app of a pod with the tokens that it and its sidecar know each other by.
set -eu
set -a
# Made at the first start, by tools/compose/secrets.ts.
. /run/secrets/tokens.env
set +a
exec node "$@"
