"""Globs mean what they mean to `fnmatch`."""

from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.conditions import is_wild, matches

FEW = "ab*?[]!-\n."


@given(st.text(FEW, max_size=12), st.text(FEW, max_size=10))
def test_any_text_and_any_glob(text: str, glob: str) -> None:
    """The results are those of the standard library."""
    assert matches(text, glob) is fnmatchcase(text, glob)


@given(
    st.lists(st.text("ab", max_size=3), max_size=6), st.lists(st.sampled_from(["*", "**", "a", "b", "ab"]), max_size=8)
)
def test_stars(texts: list[str], parts: list[str]) -> None:
    """Texts that often match: stars between the same few letters."""
    text, glob = "".join(texts), "".join(parts)

    assert matches(text, glob) is fnmatchcase(text, glob)
    assert is_wild(glob) is ("*" in glob)


def test_parts_do_not_overlap() -> None:
    """The end of a text is not used twice."""
    assert not matches("aba", "ab*ba")
    assert matches("abba", "ab*ba")


def test_thousands_of_stars() -> None:
    """A long glob and a long text take no longer than their lengths."""
    assert matches("a" * 16_000, "*a" * 8_000)
    assert not matches("a" * 16_000, "*a" * 8_000 + "*b*")
