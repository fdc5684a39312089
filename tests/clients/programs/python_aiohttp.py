"""aiohttp: a FormData with the opened file, sent chunked."""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp


async def main() -> None:
    async with aiohttp.ClientSession() as session:
        for line in sys.stdin.read().splitlines():
            kind, url, *rest = line.split("\t")
            if kind == "upload":
                path = Path(rest[1])
                form = aiohttp.FormData({"userLanguage": "en"})
                form.add_field("image", path.open("rb"), filename=path.name)  # noqa: ASYNC230
                call = session.post(url, headers={"X-API-Key": rest[0]}, data=form)
            else:
                call = session.post(url, json=json.loads(rest[0]))
            async with call as reply:
                print(reply.status, json.dumps(await reply.json()), sep="\t")


asyncio.run(main())
