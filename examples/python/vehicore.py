"""VehiCore's documented Python call. Usage: vehicore.py plate|vin IMAGE

VEHICORE_URL may name another host; VEHICORE_API_KEY is the key.
"""

import os
import sys

import requests

product, image = sys.argv[1:]
host = os.environ.get("VEHICORE_URL", "https://vehicore-api.dev-stage.fyi")

url = f"{host}/api/ocr/{product}"
headers = {"X-API-Key": os.environ["VEHICORE_API_KEY"]}
files = {"image": open(image, "rb")}  # noqa: PTH123, SIM115 -- as documented
data = {"userLanguage": "en"}
response = requests.post(url, headers=headers, files=files, data=data)
print(response.json())
