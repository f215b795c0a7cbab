#!/usr/bin/env bash
# Builds what k8s/overlays/local runs, without Docker and without a registry of images, for the real node that the variable
# METERFLOW_REAL_NODE names (its folder of scripts): our services from the Dockerfile, and stand-ins, of this machine's own
# programs, for the public images of Google's emulators and of Redis. The archives lie where the node loads them from.
#
#   real-node-images.sh [SERVICE | google-emulators | redis]...     default: all
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
real_node=${METERFLOW_REAL_NODE:?the folder of the real node\'s scripts}
cache=${REAL_NODE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/real-node}
services=(ingest rule-execution sandbox aggregation persistence control provision)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The name that the manifests have for a public image: image_of REPOSITORY.
image_of() { grep -rhoE "image: $1:\S+" k8s/components | head -1 | cut -d' ' -f2; }

# Everything that programs need to be loaded: libraries_of FOLDER PROGRAM...
libraries_of() {
  local folder=$1
  ldd "${@:2}" | grep -oE '/\S+\.so\S*' | sort -u | while read -r library; do
    mkdir -p "$folder$(dirname "$library")"
    cp -L "$library" "$folder$library"
  done
}

service() {
  "$real_node/dockerfile.sh" . "localhost/meterflow-$1:dev" \
    node:24.21.0-bookworm-slim=localhost/node-build:24.21.0 gcr.io/distroless/cc-debian12:nonroot=localhost/node:24.21.0 \
    -- --layers -f docker/Dockerfile --build-arg "SERVICE=$1"
}

# The paths are those of Google's image: its manifests start the programs by them.
google-emulators() {
  local sdk java root=$work/google-emulators
  sdk=$(dirname "$(dirname "$(readlink -f "$(command -v gcloud || echo /usr/lib/google-cloud-sdk/bin/gcloud)")")")
  java=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")
  mkdir -p "$root/google-cloud-sdk/platform" "$root/usr/lib/jvm/java" "$root/usr/bin"
  cp -r "$sdk/platform/pubsub-emulator" "$sdk/platform/bigtable-emulator" "$root/google-cloud-sdk/platform"
  # Debian links its configuration from /etc, and sources that are not there.
  tar -C "$java" -chf - --exclude=lib/src.zip bin conf lib | tar -C "$root/usr/lib/jvm/java" -xf -
  ln -s ../lib/jvm/java/bin/java "$root/usr/bin/java"
  [ -d "$cache/src/debian" ] || "$real_node/images.sh" build-base
  node "$real_node/oci-image.mjs" --name "$(image_of '\S+/google-cloud-cli')" --layer "$cache/src/debian" --layer "$root" \
    --env PATH=/usr/local/bin:/usr/bin:/bin --gzip --out "$cache/images/google-emulators.tar"
}

redis() {
  local root=$work/redis
  mkdir -p "$root/usr/local/bin" "$root/data" "$root/tmp"
  cp -L "$(command -v redis-server)" "$root/usr/local/bin/redis-server"
  libraries_of "$root" "$root/usr/local/bin/redis-server"
  node "$real_node/oci-image.mjs" --name "docker.io/library/$(image_of redis)" --layer "$root" --user 999:999 --workdir /data \
    --entrypoint '["/usr/local/bin/redis-server"]' --out "$cache/images/redis.tar"
}

[ $# -gt 0 ] || set -- "${services[@]}" google-emulators redis
for part; do
  case $part in
    google-emulators | redis) "$part" ;;
    *) service "$part" ;;
  esac
done
