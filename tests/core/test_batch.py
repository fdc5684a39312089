"""Work that waits: nothing is lost, the order is kept, and the number of waiting items is bounded."""

from mock_server.core.batch import Batch


def test_items_are_handled_in_order_at_the_latest_when_the_result_is_read() -> None:
    """`settle` handles what waits, once."""
    handled: list[int] = []
    batch = Batch(handled.append)
    for number in range(3):
        batch.add(number)
    batch.settle()
    batch.settle()
    assert handled == [0, 1, 2]


def test_few_items_wait() -> None:
    """Without a reader, all but the latest items are handled as well."""
    handled: list[int] = []
    batch = Batch(handled.append)
    for number in range(1000):
        batch.add(number)
    assert len(handled) >= 900
    batch.settle()
    assert handled == list(range(1000))
