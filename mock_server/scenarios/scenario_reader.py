"""From a scenario file, or a document that came at run time, to scenarios and overrides, with all mistakes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mock_server.core.model import OutcomeName
from mock_server.core.scenario import Scenario
from mock_server.errors import Mistake
from mock_server.scenarios import compile
from mock_server.scenarios.diagnostics import documents, one_document, validate
from mock_server.scenarios.discovery import MOCK_FILE, SCENARIO_DIRECTORY, FixtureFile, picture_id
from mock_server.scenarios.lint import vin_warnings
from mock_server.scenarios.models.scenario_model import KINDS, OverrideModel, ScenarioModel
from mock_server.scenarios.source import NAMELESS, DocumentPath, ParsedFile, ParsedScenario, Source, raise_if_wrong
from mock_server.scenarios.variables import SCENARIO_PLACES, expand
from mock_server.scenarios.vocabulary import ANY, Vocabulary
from mock_server.suggest import quoted, suggest


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
    model = validate(OverrideModel, plain, source, mistakes) if plain is not None else None
    kinds = [kind for kind in KINDS if kind in OverrideModel.model_fields]
    if isinstance(plain, Mapping) and plain.keys().isdisjoint(kinds):
        what = f"an override needs one of {', '.join(kinds)}"
        mistakes.append(source.mistake((), what, "it decides what happens to the call"))
    if model is not None:
        mistakes += _override_meaning(model, source, vocabulary)
    raise_if_wrong(mistakes)
    assert model is not None  # otherwise there is a mistake
    return compile.override(model)


def read_scenario(
    document: object, source: Source, mistakes: list[Mistake], vocabulary: Vocabulary, *, file: str
) -> ParsedScenario | None:
    """One scenario without its wrong parts; what is wrong is added to `mistakes`."""
    before = len(mistakes)
    model = validate(ScenarioModel, document, source, mistakes, {"scenario": NAMELESS})
    if model is None:
        return None
    complete = len(mistakes) == before
    pictures = tuple((written, picture_id(file, written)) for written in model.when.image)
    scenario = compile.scenario(
        model, images=[id for _, id in pictures if id is not None], file=file, line=source.line(("scenario",))
    )
    mistakes += _names(model, source, vocabulary)
    mistakes += _steps(model, source, vocabulary)
    mistakes += vin_warnings(scenario, source)
    return ParsedScenario(scenario, source, pictures, complete)


def _names(model: ScenarioModel, source: Source, vocabulary: Vocabulary) -> Iterator[Mistake]:
    if model.scenario in set(OutcomeName):
        what = f"{quoted(model.scenario)} is the name of an outcome"
        yield source.mistake(("scenario",), what, "call the scenario otherwise")
    yield from _provider_mistakes(("when", "provider"), model.when.provider, source, vocabulary)


def _override_meaning(model: OverrideModel, source: Source, vocabulary: Vocabulary) -> Iterator[Mistake]:
    yield from _provider_mistakes(("provider",), model.provider, source, vocabulary)
    if model.reply is not None and model.reply.body_file is not None:
        yield source.mistake(("reply", "body_file"), "an override cannot name a file", 'send its text as "body"')
    if model.variant is not None:
        yield from variant_mistakes(("variant",), model.variant, model.outcome, source, vocabulary, model.provider)


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
