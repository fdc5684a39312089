"""20,000 hostile calls of the providers in each family: no traceback, no hang, exact accounts, flat memory.

A failure names its input. `python -m benchmarks.hostile` sends many more.
"""

import pytest

from tests.hostile.campaign import check_family

pytestmark = [
    pytest.mark.timeout(900),
    # Coverage would make the many inputs much slower.
    pytest.mark.no_cover,
    # Pillow warns about damaged pictures. As errors, its warnings would change what is tested.
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:PIL"),
]


@pytest.mark.parametrize("name", ["multipart", "JSON", "Prefer", "pictures"])
def test_calls(name: str) -> None:
    """One reply and one journal entry for each; a 5xx only where one was forced; one unit for each success."""
    check_family(name)
