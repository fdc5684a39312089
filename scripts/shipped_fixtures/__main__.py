"""Draws the shipped fixtures: `python -m scripts.shipped_fixtures [DIRECTORY [SCENARIO …]]`.

DIRECTORY is `fixtures` by default. With names of scenarios, only these are drawn.
"""

import sys
from pathlib import Path

from scripts.shipped_fixtures import write

write(Path(sys.argv[1] if len(sys.argv) > 1 else "fixtures"), sys.argv[2:])
