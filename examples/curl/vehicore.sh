#!/bin/sh
# VehiCore's documented curl call. Usage: vehicore.sh plate|vin IMAGE
# VEHICORE_URL may name another host; VEHICORE_API_KEY is the key.
set -eu
curl -sS -X POST "${VEHICORE_URL:-https://vehicore-api.dev-stage.fyi}/api/ocr/$1" \
  -H "X-API-Key: $VEHICORE_API_KEY" \
  -F "image=@$2" \
  -F "userLanguage=en"
echo
