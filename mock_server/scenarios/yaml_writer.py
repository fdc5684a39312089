"""Documents of fixture files as YAML text."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"]
"""What a fixture file can hold."""
LINE_LENGTH = 110
"""Characters of a line in a file that people edit."""
_RARE_LINE_BREAKS = frozenset("\r\x85\u2028\u2029")


class _Dumper(yaml.SafeDumper):
    """Indents lists, and writes equal values each in full, not as references to the first one."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Text. PyYAML folds the rarer line breaks as it folds spaces, except in double quotes."""
        style = '"' if _RARE_LINE_BREAKS & set(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _Dumper.represent_text)


def yaml_text(document: Mapping[str, Any], *, width: float = LINE_LENGTH) -> str:
    """A document as YAML; lists and mappings of plain values stand on one line, of at most `width` characters."""
    text: str = yaml.dump(
        document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=None, width=width
    )
    return text
