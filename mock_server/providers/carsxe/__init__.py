"""CarsXE recognition: `POST /platerecognition` and `POST /v1/vinocr`, JSON with an image reference, monthly quotas."""

from mock_server.providers.carsxe.api import CarsXE

__all__ = ["CarsXE"]
