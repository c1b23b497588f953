#!/bin/sh
# Builds stand-ins for the public images that compose.yaml names, under the same tags, on a machine that can pull none: out of
# Debian's packages, npm's, and the daprd and Sentry that setup built.
#   scripts/offline-images.sh [tracing] [tools] [all] [NAME…]      no argument: what the shop itself needs
# An image that is there stays as it is; FORCE=1 builds stand-ins anew. A real image is never replaced.
# MIRROR=… is Debian's mirror to take packages from, where apt's own sources name none.
set -eu
cd "$(dirname "$0")/.."

core='base busybox node postgres redis nginx daprd sentry'
tracing='zipkin prometheus'
tools='redis-commander'
npm_version=11.21.1
label=dev.sidecart.stand-in
log=.data/logs/offline-images.log

tag_of() {
  case $1 in
    base) echo sidecart/trixie-base:local ;;
    busybox) echo busybox:1.37.0 ;;
    node) echo node:24.21.0-trixie-slim ;;
    postgres) echo postgres:17.12 ;;
    redis) echo redis:8.0.2 ;;
    nginx) echo nginx:1.26.3 ;;
    daprd) echo daprio/daprd:1.18.1 ;;
    sentry) echo daprio/sentry:1.18.1 ;;
    prometheus) echo prom/prometheus:v2.53.3 ;;
    zipkin) echo openzipkin/zipkin:3.6.1 ;;
    redis-commander) echo rediscommander/redis-commander:0.8.1 ;;
    *) return 1 ;;
  esac
}

# The version that the tag of an image promises.
version_of() {
  case $1 in
    redis-commander) echo 0.9.0 ;; # npm has no 0.8.1, the last that the image has a tag of
    *) tag_of "$1" | sed 's/.*:v\{0,1\}//; s/-.*//' ;;
  esac
}

# What in an image says which version it holds.
ask_version() {
  case $1 in
    busybox) set -- busybox busybox ;;
    node | nginx) set -- "$1" "$1" -v ;;
    postgres | prometheus) set -- "$1" "$1" --version ;;
    redis) set -- redis redis-server --version ;;
    daprd) set -- daprd /daprd --version ;;
    sentry) set -- sentry /sentry --config /none ;; # it says its version, then that there is no such file
    zipkin) set -- zipkin java --version ;; # the jar's name was its version
    redis-commander) set -- redis-commander node -p "require('./package.json').version" ;;
  esac
  image=$(tag_of "$1")
  program=$2
  shift 2
  docker run --rm --network none --entrypoint "$program" "$image" "$@" 2>&1 || true
}

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# absent, stand-in or real
state_of() {
  labelled=$(docker image inspect --format "{{ index .Config.Labels \"$label\" }}" "$(tag_of "$1")" 2>/dev/null) \
    || { echo absent && return; }
  if [ "$labelled" = true ]; then echo stand-in; else echo real; fi
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian's mirror as this machine's apt has it.
mirror() {
  [ -z "${MIRROR:-}" ] || { echo "$MIRROR" && return; }
  # shellcheck disable=SC1091
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016 # the dollar signs are apt's
  [ "$(. /etc/os-release && echo "$ID")" != debian ] \
    || apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' \
      | awk -v codename="$codename" '$2 == codename { print $1; exit }'
}

check_base() {
  command -v debootstrap >/dev/null 2>&1 || [ -x /usr/sbin/debootstrap ] \
    || fail "debootstrap is missing, which makes the system that the images stand on: apt-get install debootstrap"
  [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null || [ -t 0 ] \
    || fail "debootstrap needs root: run this as root, or where sudo can ask for a password."
  [ -n "$(mirror)" ] || fail "apt's sources on this machine name no Debian mirror; say MIRROR=… with the URL of one."
}

check_npm() {
  command -v npm >/dev/null 2>&1 || fail "npm is missing, which fetches the $1 image's content: install Node.js 20 or later."
}

check_program() {
  [ -n "$(built "$1")" ] || fail "$1 $(version_of "$1") is not built yet: sh tools/setup/setup.sh"
}

check() {
  case $1 in
    base) check_base ;;
    node) check_npm "$1" ;;
    daprd | sentry) check_program "$1" ;;
    zipkin) command -v mvn >/dev/null 2>&1 || fail "Maven is missing, which fetches Zipkin: apt-get install maven" ;;
  esac
}

# The path of a program that setup built, if it is of its image's version.
built() {
  node --input-type=module -e '
    import { findDaprd, findSentry } from "./tools/setup/locate.mjs";
    const [name, version] = process.argv.slice(1);
    const found = { daprd: findDaprd, sentry: findSentry }[name]();
    if (found?.version === version) console.log(found.path);
  ' "$1" "$(version_of "$1")"
}

build_base() {
  root=$work/root
  as_root env PATH="$PATH:/usr/sbin:/sbin" debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$(mirror)"
  # The settings of Debian's own images: no documentation, no recommended packages, nothing kept, no questions, no services.
  as_root sh -eu -c '
    cd "$1"
    find usr/share/doc usr/share/man usr/share/locale -type f ! -name copyright -delete
    rm -rf var/cache/apt/archives/*.deb var/cache/apt/*.bin var/lib/apt/lists/* var/log/*
    printf "path-exclude %s\n" "/usr/share/doc/*" "/usr/share/man/*" "/usr/share/locale/*/LC_MESSAGES/*" > etc/dpkg/dpkg.cfg.d/docker
    printf "path-include /usr/share/doc/*/copyright\nforce-unsafe-io\n" >> etc/dpkg/dpkg.cfg.d/docker
    cp "$2/apt.conf" etc/apt/apt.conf.d/docker
    printf "#!/bin/sh\nexit 101\n" > usr/sbin/policy-rc.d && chmod 755 usr/sbin/policy-rc.d
    echo debconf debconf/frontend select Noninteractive | chroot . debconf-set-selections
  ' sh "$root" "$PWD/scripts/offline-images/base"
  as_root tar -C "$root" --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -c . \
    | docker import --change "LABEL $label=true" --change 'CMD ["bash"]' - "$(tag_of base)"
  as_root rm -rf "$root"
}

# What the build of an image needs besides its folder.
prepare_node() {
  architecture=$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
  (cd "$work" && npm pack --silent "node-linux-$architecture@$(version_of node)" "npm@$npm_version")
  mkdir -p local/lib/node_modules/npm local/bin local/etc
  tar -xzf "$work/node-linux-$architecture-"*.tgz -C local --strip-components 1
  tar -xzf "$work/npm-"*.tgz -C local/lib/node_modules/npm --strip-components 1
  rm -f local/*.md local/package.json
  ln -s ../lib/node_modules/npm/bin/npm-cli.js local/bin/npm
  ln -s ../lib/node_modules/npm/bin/npx-cli.js local/bin/npx
  # In a container npm reaches the registry as it does here.
  echo "registry=$(npm config get registry)" > local/etc/npmrc
  authorities=$(npm config get cafile)
  [ "$authorities" != null ] || authorities=${NODE_EXTRA_CA_CERTS:-}
  if [ -n "$authorities" ]; then
    cp "$authorities" local/etc/npm-authorities.crt
    echo 'cafile=/usr/local/etc/npm-authorities.crt' >> local/etc/npmrc
  fi
}

prepare() {
  case $1 in
    node) prepare_node ;;
    daprd | sentry) cp "$(cd "$OLDPWD" && built "$1")" "$1" && chmod 755 "$1" ;;
    zipkin)
      mvn -q -B dependency:copy "-Dartifact=io.zipkin:zipkin-server:$(version_of zipkin):jar:exec" -DoutputDirectory=.
      mv zipkin-server-*.jar zipkin.jar
      ;;
  esac
}

build_image() {
  case $1 in daprd | sentry) recipe=dapr ;; *) recipe=$1 ;; esac
  cp -R "scripts/offline-images/$recipe" "$work/$1"
  (cd "$work/$1" && prepare "$1")
  # The classic builder sees the local base image wherever it runs; proxies go in as they are here.
  DOCKER_BUILDKIT=0 docker build ${FORCE:+--no-cache} --label "$label=true" --tag "$(tag_of "$1")" \
    --build-arg "VERSION=$(version_of "$1")" --build-arg "PROGRAM=$1" \
    --build-arg http_proxy --build-arg https_proxy --build-arg no_proxy "$work/$1"
  rm -rf "${work:?}/$1"
  case $(ask_version "$1") in
    *"$(version_of "$1")"*) ;;
    *) [ "$1" = zipkin ] || echo "$(tag_of "$1") holds another version: $(ask_version "$1" | head -n 1)" >> "$work/notes" ;;
  esac
}

build() {
  printf '  %s …\n' "$(tag_of "$1")"
  began=$(date +%s)
  : > "$log"
  set +e
  # Not in a condition: there `set -e` would not hold.
  (
    set -e
    if [ "$1" = base ]; then build_base; else build_image "$1"; fi
  ) >> "$log" 2>&1
  code=$?
  set -e
  if [ "$code" -ne 0 ]; then
    tail -n 15 "$log" | sed 's/^/    /' >&2
    fail "$(tag_of "$1") could not be built; all of the output is in $log. What was built so far stays."
  fi
  printf '  %s: %s s\n' "$(tag_of "$1")" "$(($(date +%s) - began))"
}

# Sets `names` to the images that the arguments ask for.
read_arguments() {
  names=
  for argument in "${@:-core}"; do
    case $argument in
      core) names="$names $core" ;;
      tracing) names="$names $core $tracing" ;;
      tools) names="$names $core $tools" ;;
      all) names="$names $core $tracing $tools" ;;
      *)
        tag_of "$argument" >/dev/null || fail "there is no image '$argument': core, tracing, tools, all, $core $tracing $tools"
        names="$names $argument"
        ;;
    esac
  done
  names=$(printf '%s\n' $names | awk '!seen[$0]++')
}

read_arguments "$@"
command -v docker >/dev/null 2>&1 || fail "docker is missing: sh tools/setup/setup.sh containers"
docker version >/dev/null 2>&1 \
  || fail "no Docker engine answers (DOCKER_HOST, or /var/run/docker.sock). Start one, as root: dockerd > /tmp/dockerd.log 2>&1 &" \
    "Where it is not installed: sh tools/setup/setup.sh containers"
mkdir -p .data/logs
work=$(mktemp -d)
trap 'rm -rf "$work" 2>/dev/null || as_root rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Whether an image has to be built. The base is made when the first image wants it.
is_wanted() {
  case $(state_of "$1") in
    real) return 1 ;;
    absent) [ "$1" != base ] || [ -n "${FORCE:-}" ] ;;
    *) [ -n "${FORCE:-}" ] ;;
  esac
}

# What stands in the way is said before anything is built.
for name in $names; do
  if is_wanted "$name"; then
    [ "$(state_of base)" != absent ] || check base
    check "$name"
  fi
done

for name in $names; do
  did='was there'
  if is_wanted "$name"; then
    [ "$name" = base ] || [ "$(state_of base)" != absent ] || build base
    build "$name"
    did=built
  elif [ "$(state_of "$name")" = real ]; then
    did='is the real one'
  elif [ "$name" = base ]; then
    continue
  fi
  size=$(docker image inspect --format '{{ .Size }}' "$(tag_of "$name")")
  printf '  %-40s %6s MB   %s\n' "$(tag_of "$name")" "$((size / 1000000))" "$did" >> "$work/table"
done
cat "$work/table"
[ ! -e "$work/notes" ] || sed 's/^/  note: /' "$work/notes"
case "$* " in
  *tools* | *all*)
    echo '  dpage/pgadmin4 and portainer/portainer-ce are no packages of anything used here: they have no stand-ins.'
    ;;
esac
