#!/bin/sh
# Runs a program of any language by the providers' real names, without root and without touching the machine's
# hosts file: in a network namespace of its own, where the names are loopback and the mock has ports 80 and 443.
# Nothing else can be reached from in there. Linux with unprivileged user namespaces, unshare and ip.
# Usage: run.sh [FIXTURES] [options of serve] -- CMD...
set -eu
hosts=$(mktemp)
cat /etc/hosts > "$hosts"
echo "127.0.0.1 api.carsxe.com eu-api.carsxe.com api.vehicore.pro vehicore-api.dev-stage.fyi" >> "$hosts"

exec unshare --map-root-user --net --mount sh -c '
  set -eu
  mount --bind "$0" /etc/hosts
  rm "$0"
  ip link set lo up
  exec vehicle-ocr-mock exec --port 80 --tls-port 443 "$@"
' "$hosts" "$@"
