"""What only makes the server faster changes no result."""

import orjson
import pytest

from mock_server import tuning

_LARGE = b'{"image_url": "' + b"QUJD" * 10_000 + b'", "rest": '


@pytest.mark.parametrize(
    "rest",
    [b"1", b"null", b'"\\ud83d\\ude97"', '"Škoda"'.encode(), b'[1.5, -2e3, {"image": true}]', b"[" * 500 + b"]" * 500],
    ids=["number", "null", "escapes", "UTF-8", "nested", "deeply nested"],
)
def test_large_json_has_the_same_value(rest: bytes) -> None:
    document = _LARGE + rest + b"}"
    assert tuning.loads(document) == orjson.loads(document)


@pytest.mark.parametrize(
    "rest",
    [b"NaN", b"Infinity", b"01", b'"\x01"', b'"\xff"', b'"\\ud800"', b'"\\x"', b"1}x", b"1,", b"'1'", b""],
    ids=repr,
)
def test_large_json_is_refused_alike(rest: bytes) -> None:
    document = _LARGE + rest + b"}"
    for parse in (orjson.loads, tuning.loads):
        with pytest.raises(orjson.JSONDecodeError):
            parse(document)
