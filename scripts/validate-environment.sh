#!/bin/sh
# Looks whether this machine can run the mesh: in containers (the default), or as processes.
#
#   scripts/validate-environment.sh [--json] [--mode containers|processes]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
options "$@"

# What a mesh needs beside what runs already, and what its images, or its binaries, take.
memory_mb=2048
disk_mb=5120

# Whether anything listens on a port of this machine.
listens() {
  if [ -r /proc/net/tcp ]; then
    grep -qi ":$(printf %04X "$1") 0*:0000 0A" /proc/net/tcp /proc/net/tcp6 2> /dev/null
  else
    nc -z 127.0.0.1 "$1" > /dev/null 2>&1
  fi
}

enough() { # what have_mb need_mb advice
  if [ -z "$2" ]; then
    note "$1" 'could not be seen'
  elif [ "$2" -ge "$3" ]; then
    ok "$1" "$2 MB, of which $3 are needed"
  else
    not_ok "$1" "$2 MB, and $3 are needed: $4"
  fi
}

free_disk() { df -Pm "$1" 2> /dev/null | awk 'NR == 2 { print $4 }'; }

# An engine in a virtual machine may have slept: certificates and tokens are dated by its clock.
clock() {
  there=$(docker info --format '{{.SystemTime}}' 2> /dev/null)
  here=$(date +%s)
  then=$(date -d "$there" +%s 2> /dev/null || date -ju -f %Y-%m-%dT%H:%M:%S "${there%%.*}" +%s 2> /dev/null) || then=''
  [ -n "$then" ] || { note 'clock of the engine' 'could not be compared'; return; }
  skew=$((here > then ? here - then : then - here))
  if [ "$skew" -le 10 ]; then
    ok 'clock of the engine' "that of this machine, but for $skew s"
  else
    not_ok 'clock of the engine' "$skew s off: start the engine (Docker Desktop) again"
  fi
}

containers() {
  section 'Docker'
  docker_checks || return 0
  limits=$(docker info --format '{{.MemoryLimit}} {{.CPUCfsQuota}} {{.PidsLimit}}' 2> /dev/null) || limits='?'
  if [ "$limits" = 'true true true' ]; then
    ok 'limits of memory, CPU and processes' 'the kernel has them'
  else
    not_ok 'limits of memory, CPU and processes' "memory, CPU, pids: $limits; docker info says what cgroups lack"
  fi
  clock

  section 'This folder'
  if [ ! -e .env ]; then
    ok '.env' 'none: all defaults (.env.example)'
  elif [ -r .env ]; then
    ok '.env' 'is readable'
  else
    not_ok '.env' 'cannot be read: chmod u+r .env'
  fi
  if said=$(docker compose config --quiet 2>&1); then
    ok 'compose.yaml' 'is valid, with what is in .env and the override'
  else
    not_ok 'compose.yaml' "$said"
    return 0
  fi

  section 'Room'
  own=$(docker compose ps --format '{{.Publishers}}' 2> /dev/null || true)
  for port in $(docker compose config | sed -n 's/^ *published: "\([0-9]*\)"/\1/p'); do
    case $own in
      *" $port "*) ok "port $port" 'held by this mesh' ;;
      *)
        if listens "$port"; then
          not_ok "port $port" "taken (ss -ltnp 'sport = :$port'): stop that, or set another in .env (.env.example)"
        else
          ok "port $port" free
        fi
        ;;
    esac
  done
  total=$(docker info --format '{{.MemTotal}}' 2> /dev/null)
  enough 'memory of the engine' "$((${total:-0} / 1048576))" "$memory_mb" 'give the engine more'
  root=$(docker info --format '{{.DockerRootDir}}' 2> /dev/null)
  # In a virtual machine it is no folder of ours.
  enough 'disk of the engine' "$(free_disk "$root")" "$disk_mb" 'docker system df shows what takes it'
}

version_of() { "$@" 2> /dev/null | sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p' | head -n 1; }

tool_version() { # name wanted found advice
  if [ -n "$3" ] && at_least "$3" "$2"; then
    ok "$1" "$3"
  else
    not_ok "$1" "${3:-missing}: $2 or later; $4"
  fi
}

processes() {
  section 'Tools'
  tool_version 'Node.js' 20 "$(version_of node --version)" 'from your system or https://nodejs.org'
  tool_version npm 8 "$(version_of npm --version)" 'it comes with Node.js'
  if ls "${XDG_CACHE_HOME:-$HOME/.cache}"/sidecart/bin/daprd* > /dev/null 2>&1; then
    ok daprd 'built already'
  else
    tool_version Go 1.26.6 "$(version_of go env GOVERSION)" 'it builds daprd, once: https://go.dev/dl'
  fi
  if command -v apt-get > /dev/null 2>&1; then
    ok 'PostgreSQL, Redis' 'make setup installs them by apt where they are missing'
  else
    for server in postgres redis-server; do
      if command -v "$server" > /dev/null 2>&1; then ok "$server" 'is there'; else not_ok "$server" 'install it from your system'; fi
    done
  fi

  section 'Room'
  ports="15432 16379 $(sed -n "s/^ *[a-zA-Z]*Port: *\([0-9]*\).*/\1/p; s/.*_PORT: '\([0-9]*\)'.*/\1/p" dapr-config/dapr.yaml | sort -nu | tr '\n' ' ')"
  if launcher_running; then
    ok 'ports' 'the mesh of this folder runs and has them'
  else
    taken=''
    for port in $ports; do
      if listens "$port"; then taken="$taken $port"; fi
    done
    if [ -z "$taken" ]; then ok ports 'all free'; else not_ok ports "taken:$taken (another mesh? ss -ltnp names who has them)"; fi
  fi
  enough memory "$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo 2> /dev/null)" "$memory_mb" 'end something'
  enough disk "$(free_disk .)" "$disk_mb" 'clear something'
}

if [ "${mode:-containers}" = containers ]; then containers; else processes; fi
finish
