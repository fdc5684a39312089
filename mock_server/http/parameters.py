"""Header values with parameters, such as `form-data; name="image"; filename="car.jpg"`."""

import re
from urllib.parse import unquote_to_bytes

_PARAMETER = re.compile(
    r"""
    [ \t]* ; [ \t]*
    (?P<name> [!#$%&'*+.^_`|~0-9A-Za-z-]+ ) [ \t]* = [ \t]*
    (?: " (?P<quoted> (?: [^"\\] | \\. )* ) " | (?P<bare> [^;"]* ) )
    """,
    re.VERBOSE | re.DOTALL,
)
_END = re.compile(r"[ \t;]*\Z")
_ESCAPED = re.compile(r'\\(["\\])')
_CHARSETS = ("utf-8", "iso-8859-1")


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split a header value into its first word (lower case) and its parameters (names in lower case).

    In quoted strings `\\"` and `\\\\` are unescaped; any other backslash stands for itself, as in the Windows
    paths that old browsers send. Raises ValueError for a value that is not of this form, or that gives a
    parameter twice, because two readers would then disagree on which one counts.
    """
    semicolon = value.find(";")
    if semicolon < 0:
        return value.strip().lower(), {}
    parameters: dict[str, str] = {}
    position = semicolon
    while match := _PARAMETER.match(value, position):
        name = match["name"].lower()
        if name in parameters:
            raise ValueError(f"parameter {name} given twice")
        quoted = match["quoted"]
        parameters[name] = match["bare"].strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)
        position = match.end()
    if not _END.match(value, position):
        raise ValueError("malformed parameters")
    return value[:semicolon].strip().lower(), parameters


def decode_extended(value: str) -> str | None:
    """Decode `charset'language'percent-encoded` (RFC 8187); None when it is not that."""
    charset, _, rest = value.partition("'")
    _, quote, encoded = rest.partition("'")
    if not quote or charset.lower() not in _CHARSETS:
        return None
    try:
        return unquote_to_bytes(encoded).decode(charset)
    except UnicodeDecodeError:
        return None
