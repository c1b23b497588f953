#!/bin/sh
# Installs what the mesh needs; does nothing, quickly, when all of it is there. `deps` stops after the npm packages, `bench`
# adds the load generator; `containers` installs what the mesh in containers needs instead, `test` both.
# This file runs before anything is installed, so it is plain shell and only looks for Node and npm.
set -eu
cd "$(dirname "$0")/../.."

missing=0
say() {
  missing=1
  printf '%s\n' "$*" >&2
}

major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p') || major=
[ "${major:-0}" -ge 20 ] || say "Node.js 20 or later is needed (found: ${major:-none}). Install it from your system's packages or https://nodejs.org, then run this again."
command -v npm >/dev/null 2>&1 || say "npm is missing. It comes with Node.js, or as your system's package 'npm'; install it, then run this again."
[ "$missing" -eq 0 ] || exit 1

exec node tools/setup/setup.mjs "${1:-all}"
