#!/bin/sh
# Runs nginx at the edge and keeps its list of gateways true: nginx 1.26 resolves the servers of an upstream only when it reads its
# configuration, and a name in a variable would cost it the turns, the kept connections and the memory of who is down.
set -u
name=${GATEWAY_NAME:-gateway}
port=${GATEWAY_PORT:-8080}
rate=${EDGE_REQUESTS_PER_SECOND:-500}
most=${EDGE_CONNECTIONS_PER_ADDRESS:-200}
export RES_OPTIONS='timeout:1 attempts:1' # a name server that is away must not hold up a stop

set -- nginx -e stderr -c "$(dirname "$0")/nginx.conf"
look() { getent ahostsv4 "$name" | cut -d' ' -f1 | sort -u; }
servers() {
  for address in $1; do echo "server $address:$port max_fails=1 fail_timeout=1s;"; done >/tmp/gateways.conf
  [ -n "$1" ] || echo 'server 127.0.0.1:1 down;' >/tmp/gateways.conf # nginx wants one; this one it never asks
  echo "{\"time\":\"$(date -u +%FT%TZ)\",\"level\":\"info\",\"service\":\"edge\",\"gateways\":\"$(echo $1)\",\"msg\":\"gateways found\"}"
}
pair() { cksum /run/edge/cert.pem /run/edge/key.pem; }

cat >/tmp/limits.conf <<END
limit_req_zone \$binary_remote_addr zone=requests:10m rate=${rate}r/s;
limit_req zone=requests burst=$((rate * 2)) nodelay;
limit_conn connections $most;
END
gateways=$(look) certificate=$(pair)
servers "$gateways"
"$@" -g 'daemon off;' &
nginx=$!
trap 'trap "" TERM INT QUIT; kill -QUIT $nginx; wait $nginx; exit $?' TERM INT QUIT

while sleep 1 & wait $! && kill -0 $nginx 2>/dev/null; do
  found=$(look) files=$(pair)
  [ "${found:=$gateways} $files" = "$gateways $certificate" ] && continue # none at all: the last that were known
  [ "$found" = "$gateways" ] || servers "$found"
  "$@" -s reload && gateways=$found certificate=$files # not taken: tried again in a second
done
wait $nginx
