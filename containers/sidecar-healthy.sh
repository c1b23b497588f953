#!/bin/sh
# Whether a sidecar can call out. One that can't be of use again by itself ends, and docker starts it anew.
. /usr/local/lib/sidecart/network.sh

leave() {
  echo "$1: leaving" > /proc/1/fd/2
  kill 1
  exit 1
}

# Not yet, that is no fault: sidecar.sh is still waiting.
listens "$DAPR_HTTP_PORT" || exit 1
[ "$(readlink /proc/self/ns/net)" = "$(cat "/run/pods/$POD")" ] || leave "the pod $POD has a new network namespace"
# By which the others find it. Without any its pod may be down: then docker could not start it again, and does not try twice.
if ! ip -4 -o addr | grep -qF " $(cat /tmp/address)/"; then
  ip -4 -o addr | grep -qv '^[0-9]*: lo ' || exit 1
  leave "the address $(cat /tmp/address) is gone"
fi
# An app that is started again is back within a second. Without one, messages would spend their tries for nothing.
tries=0
until listens "$OPS_PORT"; do
  tries=$((tries + 1))
  [ "$tries" -lt 15 ] || leave 'the app is gone'
  sleep 0.2
done
wget -q -T 2 -O /dev/null "http://127.0.0.1:$DAPR_HTTP_PORT/v1.0/healthz/outbound"
