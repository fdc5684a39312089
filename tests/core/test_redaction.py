"""What is stored and shown of keys, paths, URLs and headers."""

import pytest

from mock_server.core.redaction import key_id, redacted, redacted_headers, redacted_url, without_keys, without_secrets


@pytest.mark.parametrize(("key", "shown"), [("demo", "…"), ("secret", "…"), ("demo-key", "…ey"), ("", "…")])
def test_keys_are_redacted(key: str, shown: str) -> None:
    """A short key is hidden completely, of a longer one the end is shown."""
    assert redacted(key) == shown


def test_the_hash_of_a_key() -> None:
    """The hash is the same in every process, and differs for different keys."""
    assert key_id("demo-key") == "41bf473b0497"
    assert len({key_id(f"key-{number}") for number in range(1000)}) == 1000
    assert key_id("k" * 1000) == key_id("k" * 1000) != key_id("k" * 1001)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/ocr/plate", "/api/ocr/plate"),
        ("/keys/0123456789abcdef/image", "/keys/…ef/image"),
        ("/a-long-word-without-any-digit", "/a-long-word-without-any-digit"),
    ],
)
def test_a_part_of_a_path_that_looks_like_a_key(path: str, shown: str) -> None:
    """It has at least 16 characters and a digit."""
    assert without_keys(path) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://pictures.example/car.jpg", "https://pictures.example/car.jpg"),
        ("https://pictures.example/car.jpg?signature=secret", "https://pictures.example/car.jpg"),
        ("https://user:secret@pictures.example/a@b.jpg", "https://pictures.example/a@b.jpg"),
    ],
)
def test_credentials_in_a_url(url: str, shown: str) -> None:
    """The query and what stands before the host are left out."""
    assert redacted_url(url) == shown


def test_secret_headers() -> None:
    """Known secrets, and every header with the key in it, are hidden or left out."""
    headers = {"cookie": "secret", "x-api-key": "demo-key", "x-trace": "for demo-key", "accept": "a" * 20}

    assert redacted_headers(headers, "demo-key", max_length=10) == {
        "cookie": "…",
        "x-api-key": "…",
        "x-trace": "…",
        "accept": "a" * 10,
    }
    assert without_secrets(headers, "demo-key") == {"accept": "a" * 20}
    assert without_secrets(headers, None).keys() == headers.keys() - {"cookie"}
