"""The model of an override: a step of a scenario, with the calls that it is for."""

import re
from typing import Annotated

from pydantic import ConfigDict, Field

from mock_server.core.model import Product
from mock_server.scenarios.models.field_types import OptionalText, Scalar, choice, expected, scalar_text
from mock_server.scenarios.models.scenario_model import StepModel

ALWAYS = "always"
KINDS = ("outcome", "fault", "reply")
"""The keys that say what happens. An override has at least one of them."""

_PATTERN = f"^([1-9][0-9]{{0,8}}|{ALWAYS})$"


def _times(value: object) -> int | None:
    text = scalar_text(value)
    if text == ALWAYS:
        return None
    if text is None or not re.fullmatch(_PATTERN, text):
        raise expected(f"a whole number, 1 or more, or {ALWAYS}")
    return int(text)


_TIMES = Scalar(_times, {"type": ["integer", "string"], "minimum": 1, "maximum": 999_999_999, "pattern": _PATTERN})


class OverrideModel(StepModel):
    """What happens to the next calls, before any scenario: at least one of outcome, fault, reply."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [kind]} for kind in KINDS]})

    key: OptionalText = Field(None, description="Only calls with this API key.")
    provider: OptionalText = Field(None, description="Only calls to this provider.")
    product: Annotated[Product | None, choice(Product, "a product")] = Field(
        None, description="Only calls for this product: plate or vin."
    )
    times: Annotated[int | None, _TIMES] = Field(1, description="The number of calls, or always.")
