"""Accounts and defaults as `mock.yaml` has them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from enum import Enum
from typing import Any

from mock_server.core.account import Account, Quota
from mock_server.core.fixture_set import Defaults
from mock_server.core.model import Product
from mock_server.scenarios.scenario_writer import delay_document, percentage_text

_UNLIMITED = "unlimited"
_SECRETS = ("admin_token",)
"""Settings that are never written."""
_BARE_ACCOUNT = Account("", "")
_NO_DEFAULTS = Defaults()


def mock_document(accounts: Sequence[Account], defaults: Defaults) -> dict[str, Any]:
    """The document of `mock.yaml`. It has no admin token."""
    document: dict[str, Any] = {"accounts": [_account(account) for account in accounts]}
    for field in fields(Defaults):
        value = getattr(defaults, field.name)
        if field.name == "settings":
            document |= {name: text for name, text in value.items() if name not in _SECRETS}
        elif field.name == "variants":
            document |= _plain(value)
        elif field.name == "delay" and value is not None:
            document["delay"] = delay_document(value)
        elif field.name == "chaos":
            document |= {"chaos": {str(name): percentage_text(share) for name, share in value.items()}} if value else {}
        elif value != getattr(_NO_DEFAULTS, field.name):
            document[field.name] = _plain(value)
    return document


def _account(account: Account) -> dict[str, Any]:
    """An account as it was declared, without fields that have their default."""
    names = [field.name for field in fields(Account) if field.name != "declared"]
    found = {name: getattr(account, name) for name in names}
    document = {name: _plain(value) for name, value in found.items() if value != getattr(_BARE_ACCOUNT, name)}
    if "shared_quota" in document:
        document["quota"] = {"shared": document.pop("shared_quota")}
    return document


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case None:
            return _UNLIMITED
        case Quota(limit, used):
            return {"limit": _plain(limit), "used": used} if used else _plain(limit)
        case Mapping():
            return {_plain(name): _plain(item) for name, item in value.items()}
        case frozenset():
            # Plans are in the order of the products, outcomes in alphabetical order.
            return sorted(map(_plain, value), key=lambda item: (item not in set(Product), item))
        case _:
            return value
