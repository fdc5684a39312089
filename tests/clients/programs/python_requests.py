"""requests, with an open file: the part has a file name and no type."""

import json
import sys
from pathlib import Path

import requests

for line in sys.stdin:
    kind, url, *rest = line.rstrip("\n").split("\t")
    if kind == "upload":
        with Path(rest[1]).open("rb") as image:
            reply = requests.post(url, headers={"X-API-Key": rest[0]}, files={"image": image}, timeout=30)
    else:
        reply = requests.post(url, json=json.loads(rest[0]), timeout=30)
    print(reply.status_code, json.dumps(reply.json()), sep="\t")
