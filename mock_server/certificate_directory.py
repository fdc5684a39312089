"""The directory of the local certificate authority (CA)."""

import os
from pathlib import Path

from platformdirs import user_data_path

from mock_server.errors import SettingsError

CA_DIRECTORY_VARIABLE = "VEHICLE_OCR_MOCK_CA_DIR"
PRIVATE_FILE = "ca-key.pem"


def default_directory() -> Path:
    """The directory of this user's authority: `$VEHICLE_OCR_MOCK_CA_DIR`, or a part of the user's data directory.

    Raises SettingsError if there is no home directory.
    """
    try:
        if chosen := os.environ.get(CA_DIRECTORY_VARIABLE):
            return Path(chosen).expanduser()
        directory = user_data_path("vehicle-ocr-mock", appauthor=False)
    except RuntimeError:
        directory = Path("~")
    if not directory.is_absolute():
        raise SettingsError(f"there is no home directory for the certificates; set {CA_DIRECTORY_VARIABLE}")
    return directory / "ca"


def can_be_stored() -> bool:
    """Whether `default_directory` has an authority, or one can be stored there."""
    try:
        directory = default_directory()
    except SettingsError:
        return False
    if os.access(directory / PRIVATE_FILE, os.R_OK):
        return True
    # Unlike Path.exists(), os.access() is False below a directory that may not be read.
    existing = next(path for path in (directory, *directory.parents) if os.access(path, os.F_OK))
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
