"""From a document that came at run time to an override, with all mistakes."""

from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.core.scenario import Scenario
from mock_server.errors import Mistake
from mock_server.scenarios import compile
from mock_server.scenarios.diagnostics import one_document, validate
from mock_server.scenarios.models.override_model import KINDS, OverrideModel
from mock_server.scenarios.parse_results import raise_if_wrong
from mock_server.scenarios.scenario_reader import provider_mistakes, variant_mistakes
from mock_server.scenarios.source import Source
from mock_server.scenarios.vocabulary import Vocabulary


def parse_override(document: Mapping[str, Any], vocabulary: Vocabulary) -> Scenario:
    """The scenario of an override: its scope as conditions, and one step. Raises FixturesError."""
    mistakes: list[Mistake] = []
    source, plain = one_document(document, "override", mistakes)
    model = validate(OverrideModel, plain, source, mistakes) if plain is not None else None
    kinds = [kind for kind in KINDS if kind in OverrideModel.model_fields]
    if isinstance(plain, Mapping) and plain.keys().isdisjoint(kinds):
        what = f"an override wants one of {', '.join(kinds)}"
        mistakes.append(source.mistake((), what, "it decides what happens to the call"))
    if model is not None:
        mistakes += _meaning(model, source, vocabulary)
    raise_if_wrong(mistakes)
    assert model is not None  # otherwise there is a mistake
    return compile.override(model)


def _meaning(model: OverrideModel, source: Source, vocabulary: Vocabulary) -> Iterator[Mistake]:
    yield from provider_mistakes(("provider",), model.provider, source, vocabulary)
    if model.reply is not None and model.reply.body_file is not None:
        yield source.mistake(("reply", "body_file"), "an override cannot name a file", 'send its text as "body"')
    if model.variant is not None:
        yield from variant_mistakes(("variant",), model.variant, model.outcome, source, vocabulary, model.provider)
