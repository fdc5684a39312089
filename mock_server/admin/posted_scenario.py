"""A runtime scenario made from what a caller sent: a document, and pictures that belong to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from mock_server.admin.request_body import Body, parse_document
from mock_server.admin.validation import mistake, pointer
from mock_server.core.library import Library, gallery_name
from mock_server.core.live_scenarios import RuntimeScenario
from mock_server.errors import MultipartError
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.suggest import suggest

Document = Mapping[str, Any] | str
"""A scenario as a mapping, or as YAML text."""


@dataclass(frozen=True, slots=True)
class PostedPicture:
    """A picture that came with a scenario. Its file name is only compared with the names in the document."""

    data: bytes
    filename: str | None = None

    @property
    def id(self) -> str:
        return f"runtime/{sha256(self.data).hexdigest()[:32]}"


def posted_scenario(body: Body) -> tuple[Document, list[PostedPicture]]:
    """The document and the pictures of a request body. Raises FixturesError and MultipartError."""
    form = body.form("scenario", "image")
    if form is None:
        return body.document(), []
    document = form.first("scenario")
    if document is None:
        raise MultipartError("the part scenario is missing")
    pictures = [PostedPicture(bytes(part.data), part.filename) for part in form if part.name == "image"]
    return parse_document(document.data), pictures


def runtime_scenario(
    document: Document, pictures: Sequence[PostedPicture], vocabulary: Vocabulary, library: Library
) -> RuntimeScenario:
    """The scenario, with the bytes of its pictures. A picture that was sent needs no name in the document.

    Raises FixturesError.
    """
    # Imported here because the models of fixture files take long to import.
    from mock_server.scenarios.scenario_reader import parse_scenario

    scenario = parse_scenario(document, vocabulary=vocabulary)
    data = {picture.id: picture.data for picture in pictures}
    by_filename = {picture.filename: picture.id for picture in pictures if picture.filename}
    images = dict.fromkeys(data)
    for number, written in enumerate(scenario.when.images):
        image = by_filename.get(written) or _known_image(written, number, document, library)
        images[image] = None
        source = library.fixtures.images.get(image)
        if isinstance(source, bytes):
            # The picture came with another runtime scenario, which can be deleted before this one.
            data[image] = source
    return RuntimeScenario(replace(scenario, when=replace(scenario.when, images=tuple(images))), data)


def _known_image(written: str, number: int, document: Document, library: Library) -> str:
    """The id of a known picture by its path, or by its name under `/images/`. The file system is not searched."""
    known = library.fixtures.images
    if written in known:
        return written
    name = gallery_name(written)
    found = next((image for image in known if gallery_name(image) == name), None)
    if found is not None:
        return found
    is_list = isinstance(document, Mapping) and isinstance(document.get("when", {}).get("image"), list)
    place = pointer("when", "image", *([number] if is_list else []))
    hint = suggest(name, [gallery_name(image) for image in known]) or "send the picture as the part image"
    raise mistake(place, f'there is no picture "{written[:120]}"', hint)
