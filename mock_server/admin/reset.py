"""Back to the state of the fixture files, for the whole mock or for one API key."""

from mock_server.admin.control import Control
from mock_server.core.journal import key_id


async def reset_all(control: Control) -> None:
    """Reset scenarios, accounts, counters, sequences, the journal and the clock."""
    async with control.world.changing():
        await control.stage.clear()
        await _reset_accounts(control)
        await control.journal.clear()
        control.clock.release()


async def reset_key(control: Control, key: str) -> None:
    """Reset one key: its account, counters and sequences, the runtime scenarios bound to it, and its requests."""
    hash = key_id(key)
    async with control.world.changing():
        await _remove_scenarios(control, key)
        await _reset_account(control, key)
        await control.journal.clear(lambda entry: entry.key_id == hash)


async def _remove_scenarios(control: Control, key: str) -> None:
    for scenario in list(control.stage.library.scenarios.by_name.values()):
        if scenario.when.key == key and control.stage.runtime(scenario.name):
            await control.stage.remove(scenario.name)


async def _reset_account(control: Control, key: str) -> None:
    account = await control.store.account(key)
    await control.store.reset(key)
    from_file = next((one for one in control.stage.files.accounts if one.key == key), None)
    if original := from_file or (account and account.declared) or account:
        await control.accounts.restore(original)


async def _reset_accounts(control: Control) -> None:
    from_files = control.stage.files.accounts
    keys = {account.key for account in from_files}
    for account in await control.store.accounts():
        if account.key not in keys:
            await control.store.remove_account(account.key)
    await control.store.reset()
    for account in from_files:
        await control.accounts.restore(account)
