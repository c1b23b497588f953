#!/bin/sh
# As in the official image: what is in /docker-entrypoint.d runs first, in the order of its names.
set -e
case $1 in
  nginx | nginx-debug)
    for file in /docker-entrypoint.d/*; do
      [ -x "$file" ] || continue
      case $file in
        *.envsh) . "$file" ;;
        *.sh) "$file" ;;
      esac
    done
    ;;
esac
exec "$@"
