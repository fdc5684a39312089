"""From a scenario file, or a document that came at run time, to scenarios and overrides, with all mistakes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from mock_server.core import field_types as types
from mock_server.core.conditions import Conditions
from mock_server.core.field_types import described, expected
from mock_server.core.model import OutcomeName, Product
from mock_server.core.overrides import OVERRIDE
from mock_server.core.scenario import OUTCOME, Scenario, Step
from mock_server.errors import Mistake
from mock_server.scenarios.diagnostics import documents, one_document, validate
from mock_server.scenarios.discovery import MOCK_FILE, SCENARIO_DIRECTORY, FixtureFile, picture_id
from mock_server.scenarios.lint import vin_warnings
from mock_server.scenarios.reading_model import FixtureModel, ReadingModel
from mock_server.scenarios.source import NAMELESS, DocumentPath, ParsedFile, ParsedScenario, Source, raise_if_wrong
from mock_server.scenarios.variables import SCENARIO_PLACES, expand
from mock_server.scenarios.vocabulary import ANY, Vocabulary
from mock_server.suggest import quoted, suggest

_LONGEST_NAME = 100
"""The name of a scenario is sent in a header."""


def _scenario_name(text: str) -> str:
    if len(text) > _LONGEST_NAME:
        raise expected(f"a name of at most {_LONGEST_NAME} characters")
    return text


_ScenarioName = Annotated[
    str,
    types.matching(
        "[a-z0-9-]+",
        "a name of lower-case letters, digits and hyphens",
        {"type": ["string", "integer", "boolean", "null"], "pattern": "^[a-z0-9-]+$", "maxLength": _LONGEST_NAME},
    ),
    types.Changed(after=_scenario_name),
]
_Step = Annotated[Step, types.one_word("outcome", schema=OUTCOME.schema)]


class ScenarioModel(FixtureModel):
    """A scenario: when it applies, what is on the picture, and how the provider replies."""

    scenario: _ScenarioName = Field(
        description="The name, unique in the directory: lower-case letters, digits and hyphens."
    )
    description: types.AnyText = Field("", description="A text for people.")
    priority: Annotated[int, types.whole_number(1, 9)] = Field(5, description="1 (highest) to 9; 5 is the default.")
    when: Conditions = Field(default_factory=Conditions, description="The conditions; all that are given must be met.")
    reading: ReadingModel = Field(ReadingModel(), description="What is on the picture.")
    then: Annotated[list[_Step], types.one_or_many("a step")] = Field(
        [Step()], description="The replies, step by step. Each API key has its own position."
    )
    overlay: types.Flag = Field(
        False, description="true: it lies over the others, as a scenario that is added at run time does."
    )
    repeat: Annotated[Literal["last", "cycle"], types.choice(("last", "cycle"), "a way to repeat")] = Field(
        "last", description="After the last step: last stays there, cycle starts again."
    )


ALWAYS = "always"
KINDS = ("outcome", "fault", "reply")
"""The keys that say what happens. An override has at least one of them."""

_TIMES = f"^([1-9][0-9]{{0,8}}|{ALWAYS})$"


def _times(value: object) -> int | None:
    text = types.scalar_text(value)
    if text is None or not re.fullmatch(_TIMES, text):
        raise expected(f"a whole number, 1 or more, or {ALWAYS}")
    return None if text == ALWAYS else int(text)


@dataclass(frozen=True, slots=True)
class WrittenOverride(Step):
    """What happens to the next calls, before any scenario: at least one of outcome, fault, reply."""

    __pydantic_config__ = Step.__pydantic_config__ | {
        "json_schema_extra": {"anyOf": [{"required": [kind]} for kind in KINDS]}
    }

    key: types.OptionalText = described("Only calls with this API key.", None)
    provider: types.OptionalText = described("Only calls to this provider.", None)
    product: Annotated[Product | None, types.choice(Product, "a product")] = described(
        "Only calls for this product: plate or vin.", None
    )
    times: Annotated[
        int | None,
        types.Scalar(_times, {"type": ["integer", "string"], "minimum": 1, "maximum": 999_999_999, "pattern": _TIMES}),
    ] = described("The number of calls, or always.", 1)

    @property
    def scenario(self) -> Scenario:
        """The scenario of the override: its scope as conditions, and one step."""
        step = Step(**{one.name: getattr(self, one.name) for one in fields(Step)})
        return Scenario(OVERRIDE, Conditions(key=self.key, provider=self.provider, product=self.product), steps=(step,))


def scenario_file(text: str, file: FixtureFile, vocabulary: Vocabulary) -> ParsedFile:
    """All scenarios of one file."""
    mistakes: list[Mistake] = []
    found = documents(text, file.shown, mistakes, str(file.path))
    is_scenario = any(isinstance(document, Mapping) and "scenario" in document for _, document in found)
    if Path(file.id).name == MOCK_FILE and found and not is_scenario:
        # A flat directory, such as a Kubernetes ConfigMap, is mounted as scenarios/ with all of its files.
        hint = f"{MOCK_FILE} belongs beside {SCENARIO_DIRECTORY}/"
        return ParsedFile(mistakes=(Mistake(file.shown, 1, 1, "this is not a scenario", hint),))
    expanded = [expand(document, SCENARIO_PLACES, source, mistakes) for source, document in found]
    scenarios = [read_scenario(document, source, mistakes, vocabulary, file=file.id) for source, document in found]
    read = tuple(one for one in scenarios if one is not None)
    for source, _ in found:
        source.forget_places()
    return ParsedFile(read, mistakes=tuple(mistakes), uses_environment=any(expanded))


def parse_scenario(document: Mapping[str, Any] | str, *, vocabulary: Vocabulary = ANY) -> Scenario:
    """The scenario of a document: a mapping (from JSON), or YAML or JSON text.

    `when.images` are the paths as written. Raises FixturesError; places are JSON pointers for a mapping, lines and
    columns for text.
    """
    mistakes: list[Mistake] = []
    source, plain = one_document(document, "scenario", mistakes)
    parsed = read_scenario(plain, source, mistakes, vocabulary, file="") if plain is not None else None
    raise_if_wrong(mistakes)
    assert parsed is not None  # otherwise there is a mistake
    pictures = tuple(dict.fromkeys(written for written, _ in parsed.pictures))
    return replace(parsed.scenario, when=replace(parsed.scenario.when, images=pictures))


def parse_override(document: Mapping[str, Any], vocabulary: Vocabulary) -> Scenario:
    """The scenario of an override: its scope as conditions, and one step. Raises FixturesError."""
    mistakes: list[Mistake] = []
    source, plain = one_document(document, "override", mistakes)
    override = validate(WrittenOverride, plain, source, mistakes) if plain is not None else None
    if isinstance(plain, Mapping) and plain.keys().isdisjoint(KINDS):
        what = f"an override needs one of {', '.join(KINDS)}"
        mistakes.append(source.mistake((), what, "it decides what happens to the call"))
    if override is not None:
        mistakes += _override_meaning(override, source, vocabulary)
    raise_if_wrong(mistakes)
    assert override is not None  # otherwise there is a mistake
    return override.scenario


def read_scenario(
    document: object, source: Source, mistakes: list[Mistake], vocabulary: Vocabulary, *, file: str
) -> ParsedScenario | None:
    """One scenario without its wrong parts; what is wrong is added to `mistakes`."""
    before = len(mistakes)
    model = validate(ScenarioModel, document, source, mistakes, {"scenario": NAMELESS})
    if model is None:
        return None
    complete = len(mistakes) == before
    pictures = tuple((written, picture_id(file, written)) for written in model.when.images)
    images = tuple(dict.fromkeys(id for _, id in pictures if id is not None))
    scenario = Scenario(
        model.scenario,
        replace(model.when, images=images),
        model.reading.reading,
        _steps_in_full(model.then, model.repeat),
        model.repeat == "cycle",
        model.description,
        model.priority,
        file=file,
        line=source.line(("scenario",)),
        overlay=model.overlay,
    )
    mistakes += _names(model, source, vocabulary)
    mistakes += _steps(model, source, vocabulary)
    mistakes += vin_warnings(scenario, source)
    return ParsedScenario(scenario, source, pictures, complete)


def _steps_in_full(steps: list[Step], repeat: str) -> tuple[Step, ...]:
    """The steps. Without `times` a step is for one request; the last one, and one with a chance, without end."""
    last = len(steps) - 1 if repeat == "last" else None
    return tuple(
        step if step.times or step.chance is not None or number == last else replace(step, times=1)
        for number, step in enumerate(steps)
    )


def _names(model: ScenarioModel, source: Source, vocabulary: Vocabulary) -> Iterator[Mistake]:
    if model.scenario in set(OutcomeName):
        what = f"{quoted(model.scenario)} is the name of an outcome"
        yield source.mistake(("scenario",), what, "call the scenario otherwise")
    yield from _provider_mistakes(("when", "provider"), model.when.provider, source, vocabulary)


def _override_meaning(override: WrittenOverride, source: Source, vocabulary: Vocabulary) -> Iterator[Mistake]:
    yield from _provider_mistakes(("provider",), override.provider, source, vocabulary)
    if override.reply is not None and override.reply.body_file is not None:
        yield source.mistake(("reply", "body_file"), "an override cannot name a file", 'send its text as "body"')
    if override.variant is not None:
        path, provider = ("variant",), override.provider
        yield from variant_mistakes(path, override.variant, override.outcome, source, vocabulary, provider)


def _provider_mistakes(
    path: DocumentPath, provider: str | None, source: Source, vocabulary: Vocabulary
) -> Iterator[Mistake]:
    """A mistake if there is no such provider."""
    if provider is not None and vocabulary.providers and provider not in vocabulary.providers:
        hint = suggest(provider, vocabulary.providers)
        yield source.mistake(path, f"unknown provider {quoted(provider)}", hint)


def _steps(model: ScenarioModel, source: Source, vocabulary: Vocabulary) -> Iterator[Mistake]:
    for number, step in enumerate(model.then):
        if step.variant is not None:
            path = ("then", number, "variant")
            yield from variant_mistakes(path, step.variant, step.outcome, source, vocabulary, model.when.provider)
        if step.chance == 0:
            yield source.mistake(("then", number, "chance"), "a step with 0% never answers", warning=True)
        if step.chance == 1 and step.times is None and number < len(model.then) - 1:
            what = "no call reaches the steps after this one"
            yield source.mistake(("then", number, "chance"), what, '"times" ends it', warning=True)
    if model.repeat == "last" and model.then[-1].times is not None and model.then[-1].chance is None:
        last = ("then", len(model.then) - 1, "times")
        what = 'the last step stays, so its "times" has no effect'
        yield source.mistake(last, what, '"repeat: cycle" starts over', warning=True)


def variant_mistakes(
    path: DocumentPath, variant: str, outcome: OutcomeName, source: Source, vocabulary: Vocabulary, provider: str | None
) -> Iterator[Mistake]:
    """A mistake if `provider`, or any provider if that is None, cannot render `outcome` as `variant`."""
    known = vocabulary.variants(outcome, provider)
    if variant in known or not vocabulary.providers:
        return
    whose = f" of {provider}" if provider else ""
    if not known:
        yield source.mistake(path, f"{quoted(outcome)}{whose} has no variants")
        return
    what = f"unknown variant {quoted(variant)} of {quoted(outcome)}{whose}"
    yield source.mistake(path, what, suggest(variant, sorted(known)))
