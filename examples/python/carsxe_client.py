"""The published CarsXE client, as any program uses it. Usage: carsxe_client.py IMAGE_URL

pip install carsxe aiohttp: the package does not name aiohttp, which it needs.
"""

import asyncio
import os
import sys

from carsxe_api import CarsXE


async def main() -> None:
    client = CarsXE(os.environ["CARSXE_API_KEY"])
    print(await client.plate_image_recognition({"upload_url": sys.argv[1]}))


asyncio.run(main())
