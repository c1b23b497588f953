#!/bin/sh
# As in the official image: options and a configuration file are redis-server's; root becomes redis.
set -e
case $1 in -* | *.conf) set -- redis-server "$@" ;; esac

if [ "$1" = redis-server ]; then
  if [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis '{}' +
    exec setpriv --reuid=redis --regid=redis --init-groups "$0" "$@"
  fi
  # The official build has protected mode off unless told otherwise; what is said later wins.
  shift
  case $1 in
    *.conf)
      conf=$1
      shift
      grep -q '^ *protected-mode' "$conf" || set -- --protected-mode no "$@"
      set -- "$conf" "$@"
      ;;
    *) set -- --protected-mode no "$@" ;;
  esac
  set -- redis-server "$@"
fi
exec "$@"
