#!/bin/sh
# curl. The arguments are further options, for example --http2.
tab=$(printf '\t')
while IFS="$tab" read -r kind url first picture; do
    if [ "$kind" = upload ]; then
        reply=$(curl -sS -w '\n%{http_code}' "$@" -H "X-API-Key: $first" -F "image=@$picture" "$url")
    else
        reply=$(curl -sS -w '\n%{http_code}' "$@" -H "Content-Type: application/json" -d "$first" "$url")
    fi
    printf '%s\t' "$(echo "$reply" | tail -n 1)"
    echo "$reply" | sed '$d' | tr '\n' ' '
    echo
done
