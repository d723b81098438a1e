#!/usr/bin/env bash
# Where do the images come from that ours are built on and run beside, where no registry can be reached?
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/dev.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/dev.sh"

usage() {
  cat <<'USAGE'
usage: base-images.sh [SERVICE…]    have an image for each service of docker/stand-ins/compose.yaml, or for those named

An image that is there is used, one that can be pulled is pulled. Only what cannot be pulled is made here, under the same
name, from Debian's packages, Kafka's Maven artefacts and this machine's Rust toolchain; its label dev.praxis.stand-in says
which state of docker/stand-ins made it. Needs root and Debian or a relative for that. Grafana comes from no registry of
packages and has no stand-in. A stand-in is for trying out, never for a deployment.
USAGE
}

case ${1:-} in
  -h | --help | help)
    usage
    exit
    ;;
  -*)
    usage >&2
    exit 2
    ;;
esac

home=$dev_dir/docker/bases
export CONTEXT=$home/context
MADE_BY=$(cat "$root_dir"/docker/stand-ins/* | sha256sum | cut -c 1-12)
export MADE_BY
pull_seconds_max=900

# In two steps: a failure within the words of eval would be lost.
engine=$("$root_dir/scripts/docker-engine.sh" env)
eval "$engine"

compose() { docker compose --progress quiet -f "$root_dir/docker/stand-ins/compose.yaml" "$@"; }

image_of() { compose config --images "$1"; }

# made_by IMAGE: nothing where it is no stand-in
made_by() { docker image inspect -f '{{with .Config.Labels}}{{index . "dev.praxis.stand-in"}}{{end}}' "$1" 2>/dev/null; }

# A stand-in gives way as soon as the real image can be had.
provided() {
  local image=$1
  if docker image inspect "$image" >/dev/null 2>&1 && [ -z "$(made_by "$image")" ]; then return; fi
  timeout "$pull_seconds_max" docker pull -q "$image" >/dev/null 2>"$home/pull.log" || return 1
  say "pulled $image"
}

debian_mirror() {
  if [ -n "${PRAXIS_DEBIAN_MIRROR:-}" ]; then
    echo "$PRAXIS_DEBIAN_MIRROR"
    return
  fi
  local found
  # shellcheck disable=SC2016 # apt's own variable
  found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1) || true
  [ -n "$found" ] || die "apt's configuration names no Debian mirror; set PRAXIS_DEBIAN_MIRROR"
  echo "$found"
}

# debian SUITE: the image praxis.local/debian:SUITE, which the stand-ins are made from
debian() {
  local suite=$1 image=praxis.local/debian:$1 root=$home/$1 mirror
  if docker image inspect "$image" >/dev/null 2>&1; then return; fi
  [ "$(id -u)" = 0 ] || die "$image cannot be pulled, and only root can make a stand-in: sudo $0"
  command -v debootstrap >/dev/null || install_packages "making images needs debootstrap" debootstrap
  mirror=$(debian_mirror)
  say "making a Debian of the suite $suite"
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror" >"$home/$suite.log" 2>&1 ||
    { tail -n 20 "$home/$suite.log" >&2; die "debootstrap could not make $suite"; }
  # Packages are fetched inside builds as they are on this machine: by the same proxy, trusting the same age of lists.
  apt-config dump Acquire | grep -E '^Acquire::((http|https)::[^:]*[Pp]roxy|Check-)' >"$root/etc/apt/apt.conf.d/90machine" || true
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -C "$root" -c . | docker import --change 'CMD ["bash"]' - "$image" >/dev/null
  rm -rf "$root"
}

# The toolchain by links, where that is possible: it is half a gigabyte. Documentation and formatters stay behind.
rust_files() {
  command -v rustc >/dev/null || die "the stand-in for the Rust image is this machine's toolchain, and there is none"
  local toolchain version
  toolchain=$(rustc --print sysroot)
  version=$(sed -nE 's/^ARG RUST_IMAGE=rust:([0-9.]+)-.*/\1/p' "$root_dir/docker/Dockerfile")
  [[ $(rustc --version) == "rustc $version"* ]] ||
    die "docker/Dockerfile builds with Rust $version, and this machine has $(rustc --version)"
  mkdir -p "$CONTEXT/rust/bin" "$CONTEXT/rust/lib"
  cp -al "$toolchain"/bin/{cargo,rustc} "$CONTEXT/rust/bin/" 2>/dev/null || cp -a "$toolchain"/bin/{cargo,rustc} "$CONTEXT/rust/bin/"
  cp -al "$toolchain"/lib/. "$CONTEXT/rust/lib/" 2>/dev/null || cp -a "$toolchain"/lib/. "$CONTEXT/rust/lib/"
  cp /etc/ssl/certs/ca-certificates.crt "$CONTEXT/"
}

# kafka_files IMAGE: the libraries of the image's version
kafka_files() {
  local libs=$dev_dir/kafka/libs-${1##*:}
  "$root_dir/scripts/kafka.sh" setup
  [ -d "$libs" ] || die "scripts/kafka.sh has another version than $1"
  mkdir -p "$CONTEXT/kafka"
  cp "$libs"/*.jar "$CONTEXT/kafka/"
}

# make SERVICE IMAGE
make() {
  local service=$1 image=$2
  say "cannot pull $image; making a stand-in"
  rm -rf "$CONTEXT"
  mkdir -p "$CONTEXT"
  cp "$root_dir"/docker/stand-ins/{Dockerfile,*.sh} "$CONTEXT/"
  case $service in
    rust)
      debian bookworm
      rust_files
      ;;
    runtime) debian trixie ;;
    kafka)
      debian trixie
      kafka_files "$image"
      ;;
    *) debian sid ;;
  esac
  compose build "$service" >"$home/$service.log" 2>&1 ||
    { tail -n 30 "$home/$service.log" >&2; die "could not make the stand-in $image"; }
  rm -rf "$CONTEXT"
}

have_images() {
  local service image
  for service in "$@"; do
    image=$(image_of "$service")
    provided "$image" && continue
    # One that these files made serves until the real image can be pulled.
    [ "$(made_by "$image")" = "$MADE_BY" ] || make "$service" "$image"
  done
}

mkdir -p "$home"
services=("$@")
[ ${#services[@]} -gt 0 ] || mapfile -t services < <(compose config --services | sort)
# They share the folder that a build is given.
with_lock "$home/lock" have_images "${services[@]}"
