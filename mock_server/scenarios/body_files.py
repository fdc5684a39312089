"""The files that bodies of written replies are read from."""

from dataclasses import dataclass, field, replace

from mock_server.core.scenario import Step
from mock_server.disk_cache import Signature, signature_of
from mock_server.errors import Mistake
from mock_server.scenarios.discovery import MAX_BYTES, Directory, outside, path_problem, picture_id
from mock_server.scenarios.source import ParsedScenario
from mock_server.suggest import quoted


@dataclass(slots=True)
class BodyFiles:
    """Reads the body files of one directory, each one once. `signatures` are those of the files that were read."""

    directory: Directory
    mistakes: list[Mistake]
    signatures: dict[str, Signature] = field(default_factory=dict)
    _bodies: dict[str, bytes] = field(default_factory=dict)

    def filled_in(self, one: ParsedScenario) -> ParsedScenario:
        """The scenario with the bodies of its replies; what is wrong with a file is added to the mistakes."""
        if not any(step.reply and step.reply.body_file for step in one.scenario.steps):
            return one
        steps = tuple(self._step(step, number, one) for number, step in enumerate(one.scenario.steps))
        return replace(one, scenario=replace(one.scenario, steps=steps))

    def _step(self, step: Step, number: int, one: ParsedScenario) -> Step:
        if step.reply is None or step.reply.body_file is None:
            return step
        written = step.reply.body_file
        id = picture_id(one.scenario.file, written)
        problem = outside(written, "body files") if id is None else self._read(id, written)
        if id is None or problem:
            path = ("then", number, "reply", "body_file")
            self.mistakes.append(one.source.mistake(path, *(problem or ("", ""))))
            return step
        return replace(step, reply=replace(step.reply, body=self._bodies[id], body_file=id))

    def _read(self, id: str, written: str) -> tuple[str, str] | None:
        """Read a file if it was not read yet. What is wrong with it, and a hint."""
        if id in self._bodies:
            return None
        if problem := path_problem(self.directory, id, written, "file"):
            return problem
        path = self.directory.root / id
        try:
            facts = path.stat()
            if facts.st_size > MAX_BYTES:
                return f"{quoted(written)} has {facts.st_size:,} bytes; at most {MAX_BYTES:,} are read", ""
            self._bodies[id] = path.read_bytes()
        except OSError as error:
            return f"{quoted(written)} cannot be read: {(error.strerror or str(error)).lower()}", ""
        self.signatures[id] = signature_of(facts)
        return None
