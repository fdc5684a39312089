"""A fixtures directory that starts fast and has every outcome in it."""

import shutil
from pathlib import Path

from mock_server.settings import shipped_fixtures

PLATE, VIN = "california-sedan.jpg", "vin-plate.jpg"

ACCOUNTS = (
    "accounts:\n"
    "  - {name: demo, key: demo-key}\n"
    "  - {name: exhausted, key: no-credits, quota: {plate: {limit: 5, used: 5}, vin: {limit: 7, used: 7}}}\n"
    "  - {name: idle, key: inactive-key, status: inactive}\n"
    "  - {name: blocked, key: blocked-key, status: blocked}\n"
    "  - {name: basic, key: basic-plan-key, plans: []}\n"
)
SCENARIOS = """
scenario: sedan
when: {image: ../images/california-sedan.jpg}
reading: {plate: {text: 9DJC652, region: us-ca, score: 0.902, box: [100, 100, 200, 140]}}
---
scenario: vin-plate
when: {image: ../images/vin-plate.jpg}
reading: {vin: {text: JHLRD77874C026456, confidence: 0.983, box: [130, 244, 763, 306]}}
---
scenario: slow
when: {url: "*/slow.jpg"}
reading: {plate: SLOW1, vin: JHLRD77874C026456}
then: [{outcome: read, delay: 300ms}]
---
scenario: dribbled
when: {url: "*/dribbled.jpg"}
reading: {plate: SLOW2, vin: JHLRD77874C026456}
then: [{outcome: read, delay: {dribble: {chunks: 5, over: 300ms}}}]
"""
# Without TRUNCATED_BODY: the published npm package waits forever for the rest of the body, and Node then ends silently.
FAULTS = ("EMPTY_RESPONSE", "MALFORMED_RESPONSE_CHUNK", "RANDOM_DATA_THEN_CLOSE", "CONNECTION_RESET_BY_PEER")


def write_fixtures(root: Path) -> Path:
    """Write the directory; give it back."""
    (root / "scenarios").mkdir(parents=True)
    (root / "images").mkdir()
    for picture in (PLATE, VIN):
        shutil.copy(shipped_fixtures() / "images" / picture, root / "images")
    (root / "mock.yaml").write_text(ACCOUNTS)
    faults = "".join(
        f"---\nscenario: {fault.lower().replace('_', '-')}\nwhen: {{url: '*/{fault}.jpg'}}\n"
        f"then: [{{outcome: read, fault: {fault}}}]\nreading: {{plate: NEVER1}}\n"
        for fault in FAULTS
    )
    (root / "scenarios" / "all.yaml").write_text(SCENARIOS.lstrip() + faults)
    return root
