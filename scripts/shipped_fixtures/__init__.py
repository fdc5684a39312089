"""The pictures and scenarios that ship with the package. `python -m scripts.shipped_fixtures` draws them."""

from collections.abc import Sequence
from pathlib import Path

from scripts.shipped_fixtures.failures import ERRORS, TROUBLE
from scripts.shipped_fixtures.pictures import NOTHING, PLATES, RIMS, VINS
from scripts.shipped_fixtures.replies import REPLIES

EVERYTHING = (*PLATES, *VINS, *NOTHING, *ERRORS, *TROUBLE, *RIMS, *REPLIES)
"""The whole set. The position of an entry, from 1, is the seed of its picture."""

MOCK_YAML = """\
# Accounts and defaults of the shipped fixture set. Every key can be used as it stands here.
accounts:
  - {name: demo, key: demo-key, credits: {plate: 1000000, vin: 1000000}, quota: {plate: 1000000, vin: 1000000}}
  - name: no-credits
    key: no-credits
    credits: {plate: 0, vin: 0}
    quota: {plate: {limit: 1000, used: 1000}, vin: {limit: 1000, used: 1000}}
  - {name: sandbox, key: sandbox-key, quota: {shared: 100}, tier: sandbox}
  - {name: one-credit, key: one-credit, credits: {plate: 1, vin: 1}, quota: {plate: 1, vin: 1}}
  - {name: inactive, key: inactive-key, status: inactive}
  - {name: disabled, key: disabled-key, status: disabled}
  - {name: blocked, key: blocked-key, status: blocked}
  - {name: basic-plan, key: basic-plan-key, plans: [], tier: basic}
  - {name: slow, key: slow-key, rate_limit: 2/second}

# A picture that no scenario knows is answered with a believable reading made from its own bytes.
unmatched: synthesize
"""


def write(out: Path, only: Sequence[str] = ()) -> None:
    """Draw the set, or the scenarios named in `only`, into the directory `out`; create it if missing."""
    for folder in ("images", "scenarios"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    (out / "mock.yaml").write_text(MOCK_YAML, encoding="utf-8")
    for seed, shipped in enumerate(EVERYTHING, start=1):
        if only and shipped.name not in only:
            continue
        drawing = shipped.draw(seed)
        image = out / "images" / f"{shipped.name}.jpg"
        image.write_bytes(drawing.encoded())
        text = shipped.scenario(f"../images/{image.name}", drawing)
        (out / "scenarios" / f"{shipped.name}.yaml").write_text(text, encoding="utf-8")
