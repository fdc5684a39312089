# ruff: noqa: PTH118, PTH120 -- runs at every start of Python: importing pathlib would take longer than the rest
"""Python loads this file when it starts, because this directory is first in `PYTHONPATH`.

It redirects the providers' host names in this process, then loads the `sitecustomize` that this file hides. This
directory contains no other file, so it hides no other module. An error here never stops the program; it is printed on
stderr.
"""

import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType

_HERE = os.path.dirname(os.path.realpath(__file__))


def _load(spec: "importlib.machinery.ModuleSpec | None") -> "ModuleType | None":
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _redirect() -> None:
    path = os.path.join(os.path.dirname(_HERE), "python_hook.py")
    hook = _load(importlib.util.spec_from_file_location("_vehicle_ocr_mock_hook", path))
    text = os.environ.get("VEHICLE_OCR_MOCK_REDIRECT")
    if hook and text:
        hook.install(hook.Route.from_text(text))


def _load_hidden_sitecustomize() -> None:
    others = [path for path in sys.path if os.path.realpath(path or ".") != _HERE]
    _load(importlib.machinery.PathFinder.find_spec("sitecustomize", others))


try:
    _redirect()
except Exception as error:
    sys.stderr.write(f"vehicle-ocr-mock: host names are not redirected in this process: {error!r}\n")
_load_hidden_sitecustomize()
