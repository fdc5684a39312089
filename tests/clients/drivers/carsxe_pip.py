"""Asks with the published Python package, as a user's program does: questions on stdin, answers as the last line."""

import asyncio
import json
import sys
import time
from typing import Any

from carsxe_api import CarsXE  # type: ignore[import-untyped, unused-ignore]


async def ask(question: dict[str, str]) -> dict[str, Any]:
    client = CarsXE(question["key"])
    method = client.plate_image_recognition if question["product"] == "plate" else client.vin_ocr
    before = time.monotonic()
    try:
        answer = await method({"upload_url": question["url"]})
    except Exception as error:
        return {"error": type(error).__name__}
    return {"answer": answer, "seconds": time.monotonic() - before}


async def main() -> None:
    json.dump([await ask(question) for question in json.load(sys.stdin)], sys.stdout)


asyncio.run(main())
