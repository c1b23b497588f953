# shellcheck shell=sh
# What the scripts share: how they say what is well and what is not, how they end, and which run mode a mesh is in.
# Read by each of them with `. scripts/lib.sh`, in the repository's root.

problems=0
json=
mode=
if [ -t 1 ]; then
  green=$(printf '\033[32m') red=$(printf '\033[31m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
else
  green='' red='' dim='' plain=''
fi

section() { [ -n "$json" ] || printf '\n%s\n' "$1"; }

# ok "what is well" ["detail"]
ok() { result true "$1" "${2:-}"; }

# not_ok "what is not" "what to do about it"
not_ok() {
  problems=$((problems + 1))
  result false "$1" "$2"
}

# note "what could not be checked, or is only worth knowing" ["detail"]: no problem
note() { [ -n "$json" ] || printf '  %s--%s       %-44s  %s\n' "$dim" "$plain" "$1" "${2:-}"; }

result() {
  if [ -n "$json" ]; then
    printf '{"ok":%s,"what":"%s","detail":"%s"}\n' "$1" "$(quoted "$2")" "$(quoted "$3")"
  elif [ "$1" = true ]; then
    printf '  %sok%s       %-44s  %s\n' "$green" "$plain" "$2" "$3"
  else
    printf '  %snot ok%s   %-44s  %s\n' "$red" "$plain" "$2" "$3"
  fi
}

quoted() { printf '%s' "$1" | tr '\n\t' '  ' | sed 's/[\\"]/\\&/g'; }

# Ends a script of checks.
finish() {
  if [ -z "$json" ]; then
    case $problems in
      0) printf '\nall is well\n' ;;
      1) printf '\n1 problem\n' ;;
      *) printf '\n%s problems\n' "$problems" ;;
    esac
  fi
  [ "$problems" -eq 0 ] || exit 1
  exit 0
}

# Ends a script that cannot go on.
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

# Reads the options that all of them take; what is left is in $rest.
options() {
  rest=''
  while [ $# -gt 0 ]; do
    case $1 in
      --mode) shift; mode=${1:-} ;;
      --mode=*) mode=${1#--mode=} ;;
      --json) json=1 ;;
      -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
      *) rest="$rest $1" ;;
    esac
    shift
  done
  case $mode in '' | processes | containers) ;; *) fail "--mode is processes or containers, not $mode" ;; esac
}

# What `docker compose` says runs here, a service a line; nothing where there is no engine.
containers_running() { docker compose ps --services --status running 2> /dev/null || true; }

# What `make up` has started: its launcher, if it lives.
launcher_running() {
  pid=$(sed -n '/"launcher"/,/}/s/.*"pid": *\([0-9]*\).*/\1/p' .data/mesh.json 2> /dev/null) || true
  [ -n "$pid" ] && kill -0 "$pid" 2> /dev/null
}

# Whether version $1 is $2 or later.
at_least() {
  awk -v have="$1" -v want="$2" 'BEGIN {
    split(have, h, /[^0-9]+/); split(want, w, /[^0-9]+/)
    for (i = 1; i <= 3; i++) if (h[i] + 0 != w[i] + 0) exit h[i] + 0 < w[i] + 0
  }'
}

# Checks Docker itself; false where nothing else about it can be asked.
docker_checks() {
  if ! command -v docker > /dev/null 2>&1; then
    not_ok docker 'is not installed: https://docs.docker.com/engine/install/'
    return 1
  fi
  engine=$(docker version --format '{{.Server.Version}}' 2> /dev/null) || engine=''
  if [ -z "$engine" ]; then
    not_ok 'Docker engine' 'does not answer: start it; docker info says what keeps you from it'
    return 1
  elif at_least "$engine" 20.10; then
    ok 'Docker engine' "$engine"
  else
    not_ok 'Docker engine' "$engine is too old: 20.10 or later"
  fi
  compose=$(docker compose version --short 2> /dev/null) || compose=''
  case $compose in
    [0-9v]*)
      if at_least "${compose#v}" 2.30; then
        ok 'Docker Compose' "$compose"
      else
        not_ok 'Docker Compose' "$compose is too old: 2.30 or later"
        return 1
      fi
      ;;
    '') not_ok 'Docker Compose' 'is missing: https://docs.docker.com/compose/install/'; return 1 ;;
    *) ok 'Docker Compose' "$compose, built from source" ;; # which knows no version of its own
  esac
}

# Finds out which of the two a running mesh is, unless --mode has said it.
find_mode() {
  [ -z "$mode" ] || return 0
  if launcher_running; then
    mode=processes
  elif containers_running | grep -qx gateway; then
    mode=containers
  else
    return 1
  fi
}

need_mesh() { find_mode || fail 'no mesh runs here: docker compose up -d --wait, or make up'; }

# Runs one of tools/ beside the mesh, in a container of its network or here: tool <name> [argument …]
tool() {
  if [ "$mode" = containers ]; then
    docker compose run --rm -T --no-deps cli "$@"
  else
    file=tools/$1.ts
    [ -f "$file" ] || file=tools/$1/cli.ts
    shift
    PATH="$PWD/node_modules/.bin:$PATH" node "$file" "$@"
  fi
}
