"""Writing a file as a whole."""

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, mode: int | None = None, is_durable: bool = False) -> None:
    """Write the whole file or nothing: other processes see the old content or the new one, never a part.

    `mode` are its permissions, by default those of any new file. `is_durable`: it survives a crash of the system from
    now on. Raises OSError.
    """
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        # No other user may read the draft of a private file.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if is_durable:
                file.flush()
                os.fsync(descriptor)
        if mode is not None:
            draft.chmod(mode)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
