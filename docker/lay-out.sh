#!/bin/sh
# Lays out what the image of one service holds: lay-out.sh SERVICE FOLDER. Called by the Dockerfile, after `npm ci`.
set -eu
service=$1 out=$2
node tools/workspace/src/bundle.ts "apps/$service"
mkdir -p "$out"
cp "dist/apps/$service"/* "$out"
rm -f "$out"/*.map
# SQL and the embedded stores are not for clusters.
rm -f "$out/sql-child.js"

# What cannot be bundled: native code, and what reads files beside itself. Only who runs or checks rules needs it.
case $service in
  control) packages="isolated-vm node-gyp-build typescript esbuild @esbuild" ;;
  sandbox) packages="isolated-vm node-gyp-build" ;;
  *) packages= ;;
esac
for package in $packages; do
  mkdir -p "$out/node_modules"
  # -L: where a package is a link, what it points to is copied, never pruned in its place.
  cp -RL "node_modules/$package" "$out/node_modules/$package"
done
# Of isolated-vm the built part alone.
isolated=$out/node_modules/isolated-vm
if [ -d "$isolated" ] && [ ! -L "$isolated" ]; then
  rm -rf "$isolated/src" "$isolated/vendor" "$isolated/native-example" "$isolated/scripts" "$isolated"/*.tgz
  rm -rf "$isolated"/prebuilds/darwin-* "$isolated"/prebuilds/win32-*
fi
