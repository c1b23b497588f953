#!/bin/bash
# What the official image's entrypoint does with its documented variables, as far as a stand-in needs it.
set -Eeo pipefail

# The value of $1, or of the file that $1_FILE names, or $2.
setting() {
  local file="${1}_FILE"
  if [ -n "${!1}" ] && [ -n "${!file}" ]; then
    echo "error: both $1 and $file are set (but are exclusive)" >&2
    exit 1
  fi
  local value="${!1:-${2:-}}"
  [ -z "${!file}" ] || value=$(< "${!file}")
  export "$1=$value"
  unset "$file"
}

# Makes the cluster, as its superuser, whose password goes in by a pipe and so is on no command line.
make_cluster() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
    echo '       Set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE to a non-empty value.' >&2
    exit 1
  fi
  local wal=()
  [ -z "$POSTGRES_INITDB_WALDIR" ] || wal=(--waldir="$POSTGRES_INITDB_WALDIR")
  # shellcheck disable=SC2086 # POSTGRES_INITDB_ARGS holds several words
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${wal[@]}" $POSTGRES_INITDB_ARGS
  printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
}

run_sql() {
  PGHOST='' psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --no-password "$@"
}

run_init_files() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh)
        echo "$0: running $file"
        # shellcheck disable=SC1090 # the user's own file
        if [ -x "$file" ]; then "$file"; else . "$file"; fi
        ;;
      *.sql) echo "$0: running $file" && run_sql --dbname "$POSTGRES_DB" --file "$file" ;;
      *.sql.gz) echo "$0: running $file" && gunzip -c "$file" | run_sql --dbname "$POSTGRES_DB" ;;
      */\*) ;;
      *) echo "$0: ignoring $file" ;;
    esac
  done
}

main() {
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA" || true
  mkdir -p /var/run/postgresql || true
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
  fi
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    setting POSTGRES_PASSWORD
    setting POSTGRES_USER postgres
    setting POSTGRES_DB "$POSTGRES_USER"
    make_cluster
    # Only by the socket, until the cluster is as it should be; that may ask for the password, too.
    export PGPASSWORD="${PGPASSWORD:-$POSTGRES_PASSWORD}"
    local options=("${@:2}" -c listen_addresses=)
    NOTIFY_SOCKET='' PGUSER="$POSTGRES_USER" pg_ctl -D "$PGDATA" -o "$(printf '%q ' "${options[@]}")" -w start
    if [ "$POSTGRES_DB" != postgres ]; then
      run_sql --dbname postgres --set db="$POSTGRES_DB" <<< 'CREATE DATABASE :"db" ;'
    fi
    run_init_files
    PGUSER="$POSTGRES_USER" pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    echo 'PostgreSQL init process complete; ready for start up.'
  fi
  exec "$@"
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"
main "$@"
