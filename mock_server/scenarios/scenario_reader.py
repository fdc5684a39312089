"""Scenario files: from text to scenarios, all mistakes collected."""

from collections.abc import Iterator

from mock_server.core.model import OutcomeName
from mock_server.errors import Mistake
from mock_server.scenarios import compile
from mock_server.scenarios.documents import documents, validated
from mock_server.scenarios.image_paths import picture_id
from mock_server.scenarios.issue import Issue, Path, Source, WrittenSource
from mock_server.scenarios.models.scenario_model import ScenarioShape
from mock_server.scenarios.parse_results import NAMELESS, ParsedFile, ParsedScenario
from mock_server.scenarios.vin_check import vin_issues
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.suggest import quoted, suggest


def scenario_file(text: str, *, id: str, shown: str, vocabulary: Vocabulary) -> ParsedFile:
    """All scenarios of one file. `id` is its path below the directory, `shown` its name in mistakes."""
    parsed = ParsedFile()
    for source, document in documents(text, shown, parsed.mistakes):
        scenario = read_scenario(document, source, parsed.mistakes, vocabulary, file=id)
        if scenario is not None:
            parsed.scenarios.append(scenario)
    return parsed


def read_scenario(
    document: object, source: Source, mistakes: list[Mistake], vocabulary: Vocabulary, *, file: str
) -> ParsedScenario | None:
    """One scenario, so far as it can be understood; what is wrong with it is added to `mistakes`."""
    before = len(mistakes)
    shape = validated(ScenarioShape, document, source, mistakes, {"scenario": NAMELESS})
    if shape is None:
        return None
    whole = len(mistakes) == before
    pictures = tuple((written, picture_id(file, written)) for written in shape.when.image)
    scenario = compile.scenario(
        shape,
        images=[id for _, id in pictures if id is not None],
        file=file,
        line=source.place(("scenario",)).line if isinstance(source, WrittenSource) else 0,
    )
    issues = (*_name(shape), *_provider(shape, vocabulary), *_steps(shape, vocabulary), *vin_issues(scenario))
    mistakes.extend(source.mistake(issue) for issue in issues)
    return ParsedScenario(scenario, source, pictures, whole)


def _name(shape: ScenarioShape) -> Iterator[Issue]:
    if shape.scenario in set(OutcomeName):
        what = f"{quoted(shape.scenario)} is the name of an outcome"
        yield Issue(("scenario",), what, "call the scenario otherwise")


def _provider(shape: ScenarioShape, vocabulary: Vocabulary) -> Iterator[Issue]:
    provider = shape.when.provider
    if provider is not None and vocabulary.providers and provider not in vocabulary.providers:
        hint = suggest(provider, vocabulary.providers)
        yield Issue(("when", "provider"), f"unknown provider {quoted(provider)}", hint)


def _steps(shape: ScenarioShape, vocabulary: Vocabulary) -> Iterator[Issue]:
    for number, step in enumerate(shape.then):
        if step.variant is not None:
            path = ("then", number, "variant")
            yield from variant_issues(path, step.variant, step.outcome, vocabulary, shape.when.provider)
    if shape.repeat == "last" and shape.then[-1].times is not None:
        path = ("then", len(shape.then) - 1, "times")
        hint = '"repeat: cycle" starts over'
        yield Issue(path, 'the last step stays, so its "times" has no effect', hint, warning=True)


def variant_issues(
    path: Path, variant: str, outcome: OutcomeName, vocabulary: Vocabulary, provider: str | None
) -> Iterator[Issue]:
    """Why `outcome` of `provider`, or of any, cannot be rendered as `variant`."""
    known = vocabulary.variants(outcome, provider)
    if variant in known or not vocabulary.providers:
        return
    whose = f" of {provider}" if provider else ""
    if known:
        yield Issue(
            path,
            f"unknown variant {quoted(variant)} of {quoted(outcome)}{whose}",
            suggest(variant, sorted(known)),
        )
    else:
        yield Issue(path, f"{quoted(outcome)}{whose} has no variants")
