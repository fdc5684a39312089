"""Parameters of header values, such as `form-data; name="image"; filename="car.jpg"` (RFC 2045, 2231, 8187)."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

_PARAMETER = re.compile(
    r"""
    [ \t]* ; [ \t;]*+
    (?P<name> [!#$%&'*+.^_`|~0-9A-Za-z-]+ ) [ \t]* = [ \t]*
    (?: " (?P<quoted> (?: [^"\\] | \\. )* ) " | (?P<bare> [^;"]*+ ) (?!") )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r'\\(["\\])')
_CHARSETS = ("utf-8", "iso-8859-1")  # of `filename*`
_ESSENTIAL = ("boundary", "name")  # parameters that cannot have two values


def parse_parameters(value: str) -> tuple[str, dict[str, str], str]:
    """Split a header value into its first word, its parameters, and the rest that is not well-formed.

    The word and the names are in lower case. In quoted strings `\\"` and `\\\\` are unescaped; any other backslash
    stands for itself, as in the Windows paths of old browsers. The first value of a parameter counts; two values of an
    essential one raise ValueError.
    """
    kind, _, _ = value.partition(";")
    parameters: dict[str, str] = {}
    position = len(kind)
    while match := _PARAMETER.match(value, position):
        name, quoted = match["name"].lower(), match["quoted"]
        text = match["bare"].strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if parameters.setdefault(name, text) != text and name in _ESSENTIAL:
            raise ValueError(f"the parameter {name} has two values")
        position = match.end()
    return kind.strip().lower(), parameters, value[position:]


def filename_of(parameters: Mapping[str, str]) -> str | None:
    """The name of a file; None for a text field. A name that cannot be decoded is kept as it was sent."""
    if (extended := _decode_extended(parameters.get("filename*", ""))) is not None:
        return extended
    if "filename" in parameters:
        return unescape(parameters["filename"])
    if pieces := _pieces(parameters):
        return "".join(pieces) if "filename*0" in parameters else _decode_extended("".join(pieces)) or "".join(pieces)
    return parameters.get("filename*")


def _pieces(parameters: Mapping[str, str]) -> list[str]:
    """The parts of a long name (RFC 2231): `filename*0`, `filename*1` …, or `filename*0*` … if they are encoded."""
    pieces: list[str] = []
    while (piece := parameters.get(f"filename*{len(pieces)}", parameters.get(f"filename*{len(pieces)}*"))) is not None:
        pieces.append(piece)
    return pieces


def _decode_extended(value: str) -> str | None:
    """Decode `charset'language'percent-encoded` (RFC 8187); None where the value is malformed."""
    charset, *rest = value.split("'", 2)
    if len(rest) != 2 or charset.lower() not in _CHARSETS:
        return None
    try:
        return unquote(rest[1], charset, "strict")
    except UnicodeDecodeError:
        return None


def unescape(text: str) -> str:
    """A name as the user sees it: browsers write a quote as `%22`."""
    # Escaped line ends stay escaped: a file name has one line.
    return text.replace("%22", '"')
