"""Draws the shipped fixture set anew: `python -m mock_server.drawing.shipped OUT [SCENARIO …]`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from mock_server.drawing.catalogue import NOTHING, PLATES, VINS
from mock_server.drawing.catalogue_failures import ERRORS, TROUBLE
from mock_server.drawing.scenario_yaml import scenario_yaml

EVERYTHING = (*PLATES, *VINS, *NOTHING, *ERRORS, *TROUBLE)
"""The whole set; an entry's place is the seed of its picture."""

MOCK_YAML = """\
# Accounts and defaults of the shipped fixture set. Every key can be used as it stands here.
accounts:
  - {name: demo, key: demo-key, credits: {plate: 1000000, vin: 1000000}, quota: {plate: 1000000, vin: 1000000}}
  - name: no-credits
    key: no-credits
    credits: {plate: 0, vin: 0}
    quota: {plate: {limit: 1000, used: 1000}, vin: {limit: 1000, used: 1000}}
  - {name: one-credit, key: one-credit, credits: {plate: 1, vin: 1}, quota: {plate: 1, vin: 1}}
  - {name: inactive, key: inactive-key, status: inactive}
  - {name: disabled, key: disabled-key, status: disabled}
  - {name: blocked, key: blocked-key, status: blocked}
  - {name: basic-plan, key: basic-plan-key, plans: [], tier: basic}
  - {name: slow, key: slow-key, rate_limit: 2/second}

# A picture that no scenario knows is answered with a believable reading made from its own bytes.
unmatched: synthesize
"""


def write(out: Path, only: Sequence[str] = ()) -> list[Path]:
    """Draw the set (or the scenarios named) into `out`, which is made where missing; returns the files written."""
    for folder in ("images", "scenarios"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    written = [out / "mock.yaml"]
    written[0].write_text(MOCK_YAML, encoding="utf-8")
    for seed, shipped in enumerate(EVERYTHING, start=1):
        if only and shipped.name not in only:
            continue
        drawing = shipped.draw(seed)
        image = out / "images" / f"{shipped.name}.jpg"
        image.write_bytes(drawing.encoded())
        text = scenario_yaml(
            shipped.name,
            f"../images/{image.name}",
            drawing.truth,
            description=shipped.description,
            when=shipped.when,
            then=shipped.then,
            plate=shipped.plate,
            vin=shipped.vin,
        )
        scenario = out / "scenarios" / f"{shipped.name}.yaml"
        scenario.write_text(text, encoding="utf-8")
        written += [image, scenario]
    return written


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "fixtures"), sys.argv[2:])
