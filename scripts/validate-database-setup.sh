#!/bin/sh
# Looks into the databases of the running mesh: each service has its own, migrated and seeded; its role enters no other's and owns
# nothing; row-level security is on wherever a table has a tenant.
#
#   scripts/validate-database-setup.sh [--json] [--mode processes|containers]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
options "$@"
need_mesh
tool validate-databases ${json:+--json}
