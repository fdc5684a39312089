"""`/export`: what is served, as a fixtures directory in a zip file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.operation import Operations
from mock_server.core.account import Account
from mock_server.core.fixture_set import FixtureSet
from mock_server.errors import ConflictError

OPERATIONS = Operations()

_HEADERS: Mapping[str, str] = {"content-disposition": 'attachment; filename="fixtures.zip"'}


@OPERATIONS("GET", "/export")
async def export(control: Control, request: Request) -> Response:
    accounts = [account.declared or account for account in await control.store.accounts()]
    archive = await anyio.to_thread.run_sync(_zip, control.live_scenarios.library.fixtures, accounts)
    return Response(archive, headers=_HEADERS, media_type="application/zip")


def _zip(fixtures: FixtureSet, accounts: Sequence[Account]) -> bytes:
    """The zip file. The same content gives the same bytes."""
    # Imported here because the YAML library takes long to import.
    from mock_server.scenarios.fixture_export import fixture_files

    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name, content in fixture_files(fixtures, list(_with_unique_names(accounts))):
            info = ZipInfo(name)
            info.compress_type = ZIP_DEFLATED if name.endswith(".yaml") else ZIP_STORED
            info.external_attr = 0o644 << 16
            archive.writestr(info, _read(content))
    return file.getvalue()


def _read(content: bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return content
    try:
        return content.read_bytes()
    except OSError:
        raise ConflictError(f"The picture {content.name} is no longer there: reload the fixtures.") from None


def _with_unique_names(accounts: Sequence[Account]) -> Iterator[Account]:
    """The accounts. In a file, each has a name of its own; at run time several can have the same."""
    taken: set[str] = set()
    for account in accounts:
        name, number = account.name, 1
        while name in taken:
            number += 1
            name = f"{account.name}-{number}"
        taken.add(name)
        yield replace(account, name=name)
