"""Uploads that are kept: the latest ones, bounded in number and in bytes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mock_server.core.exchange import Exchange, Picture
from mock_server.core.picture_caches import KeptUploads, name_of_upload


def exchange(id: str, sha256: str | None = None) -> Exchange:
    """An exchange with a picture, or with an upload that is no picture."""
    made = Exchange(
        id=id, time=datetime.now(UTC), provider="vehicore", method="POST", path="/", status=200, milliseconds=1.0
    )
    return replace(made, image=Picture(sha256, "JPEG", 1, 1, 1)) if sha256 else made


def test_the_latest_are_kept() -> None:
    """The oldest one is dropped when there is one too many."""
    uploads = KeptUploads(2)
    exchanges = [exchange(name) for name in "abc"]
    for one in exchanges:
        uploads.add(name_of_upload(one), one.id.encode())

    assert [uploads.find(one) for one in exchanges] == [None, b"b", b"c"]


def test_equal_pictures_are_kept_once() -> None:
    """Ten requests with one picture leave room for another one, and each of them finds it."""
    uploads = KeptUploads(2)
    other = exchange("other", "bb")
    uploads.add(name_of_upload(other), b"other")
    same = [exchange(str(number), "aa") for number in range(10)]
    for one in same:
        uploads.add(name_of_upload(one), b"same")

    assert [uploads.find(one) for one in (same[0], same[9], other)] == [b"same", b"same", b"other"]


def test_the_bytes_are_bounded() -> None:
    """Older uploads make room; one that is larger than all the room is not kept."""
    uploads = KeptUploads(10, max_bytes=100)
    first, second, huge = exchange("a"), exchange("b"), exchange("c")
    uploads.add(name_of_upload(first), bytes(60))
    uploads.add(name_of_upload(second), bytes(60))
    uploads.add(name_of_upload(huge), bytes(101))

    assert [uploads.find(one) is not None for one in (first, second, huge)] == [False, True, False]


def test_a_part_of_a_form_counts_as_the_form() -> None:
    """A view keeps all of its form in memory."""
    uploads = KeptUploads(10, max_bytes=100)
    one = exchange("a")
    uploads.add(name_of_upload(one), memoryview(bytes(200))[10:20])

    assert uploads.find(one) is None


def test_none_is_kept() -> None:
    """With the number 0 nothing is kept."""
    uploads = KeptUploads(0)
    one = exchange("a")
    uploads.add(name_of_upload(one), b"picture")

    assert (uploads.find(one), len(uploads)) == (None, 0)


@pytest.mark.parametrize("left", [[], ["b"], ["a", "b"]])
def test_uploads_of_deleted_requests_are_dropped(left: list[str]) -> None:
    """Only what belongs to a remaining request stays, and the room of the others is free again."""
    uploads = KeptUploads(10, max_bytes=100)
    exchanges = {name: exchange(name) for name in "ab"}
    for one in exchanges.values():
        uploads.add(name_of_upload(one), bytes(50))
    uploads.keep_only([exchanges[name] for name in left])
    new = exchange("new")
    uploads.add(name_of_upload(new), bytes(100 - 50 * len(left)) or b"x")

    assert [name for name in "ab" if uploads.find(exchanges[name]) is not None] == (left if len(left) < 2 else ["b"])
