#!/bin/sh
# CarsXE's recognition endpoints. Usage: carsxe.sh platerecognition|v1/vinocr IMAGE_URL
# CARSXE_URL may name another host; CARSXE_API_KEY is the key.
set -eu
curl -sS -X POST "${CARSXE_URL:-https://api.carsxe.com}/$1?key=$CARSXE_API_KEY" \
  -H "Content-Type: application/json" \
  -d "{\"image_url\": \"$2\"}"
echo
