"""httpx, with one client for all calls."""

import json
import sys
from pathlib import Path

import httpx

with httpx.Client(timeout=30) as client:
    for line in sys.stdin:
        kind, url, *rest = line.rstrip("\n").split("\t")
        if kind == "upload":
            with Path(rest[1]).open("rb") as image:
                reply = client.post(url, headers={"X-API-Key": rest[0]}, files={"image": image})
        else:
            reply = client.post(url, json=json.loads(rest[0]))
        print(reply.status_code, json.dumps(reply.json()), sep="\t")
