#!/bin/sh
# Starts daprd in its pod: once its app is there (a sidecar alone would be found, and fail what it is asked), with its tokens,
# the mesh's trust anchor, which daprd takes by its environment alone, and the address at which other pods reach it.
set -eu
. /usr/local/lib/sidecart/network.sh

until listens "$OPS_PORT"; do sleep 0.2; done
# The pod is on other networks as well; the one that leads to Sentry is the mesh's.
until address=$(address_towards sentry); do sleep 0.5; done
echo "$address" > /tmp/address

# Spans go to Zipkin where there is one: daprd lays a second Configuration over the first. Sentry, which is always there, has
# the name `tracing` as well, for the answer to come at once.
if [ "$(addresses_of tracing | wc -l)" -gt 1 ]; then set -- "$@" --config dapr-config/tracing.yaml; fi

set -a
. /run/secrets/tokens.env
set +a
DAPR_TRUST_ANCHORS=$(cat /run/trust/ca.crt) NAMESPACE=default DAPR_HOST_IP=$address
export DAPR_TRUST_ANCHORS NAMESPACE DAPR_HOST_IP

exec daprd "$@" \
  --app-port "$APP_PORT" --dapr-http-port "$DAPR_HTTP_PORT" --dapr-grpc-port "$DAPR_GRPC_PORT" \
  --dapr-internal-grpc-port 50002 --metrics-port 9090 --dapr-listen-addresses 127.0.0.1 \
  --enable-mtls --sentry-address sentry:50001 \
  --resources-path components --resources-path components/redis --resources-path dapr-config/resources \
  --dapr-graceful-shutdown-seconds 5 --log-level info --log-as-json
