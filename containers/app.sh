#!/bin/sh
# Starts an app, with the tokens that it and its sidecar know each other by, where it has a sidecar. With --watch first, a saved
# file starts it anew, at once: its sidecar stays, as after a crash.
set -eu
if [ "$1" = --watch ]; then
  shift
  set -- --watch-path="$(dirname "$1")" --watch-path=services/_chassis --watch-kill-signal=SIGKILL --watch-preserve-output "$@"
fi
if [ -f /run/secrets/tokens.env ]; then
  set -a
  . /run/secrets/tokens.env
  set +a
fi
exec node "$@"
