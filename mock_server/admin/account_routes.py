"""`/accounts`: API keys with their standing and their balances."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.operation import Answer, Operation, json_response, location, path_parameter, ref
from mock_server.admin.request_body import read

TAG = "accounts"
_KEY = path_parameter("key", "The API key.", "demo-key")
_EXAMPLE = {
    "key": "key-3f9c0e6a51d24b7fa1c80a6de2f47b19",
    "name": "account-1b2c3d4e",
    "status": "active",
    "plans": ["plate", "vin"],
    "credits": {"plate": 1, "vin": "unlimited"},
    "quota": {
        "plate": {"current": 0, "limit": "unlimited", "remaining": "unlimited"},
        "vin": {"current": 0, "limit": 100, "remaining": 100},
    },
    "quota_period": "month",
    "tier": "standard",
    "overage": False,
    "rate_limit": None,
}
_ONE = Answer("The account, with live balances.", ref("Account"), _EXAMPLE)


async def list_accounts(control: Control, request: Request) -> Response:
    return json_response({"accounts": await control.accounts.all()})


async def create_account(control: Control, request: Request) -> Response:
    body = await read(request)
    account = await control.accounts.create(body.json() if body.data else {})
    return json_response(account, 201, location(request, f"/accounts/{quote(account['key'], safe='')}"))


async def get_account(control: Control, request: Request) -> Response:
    return json_response(await control.accounts.get(request.path_params["key"]))


async def change_account(control: Control, request: Request) -> Response:
    document = (await read(request)).json()
    return json_response(await control.accounts.change(request.path_params["key"], document))


async def delete_account(control: Control, request: Request) -> Response:
    await control.accounts.remove(request.path_params["key"])
    return Response(status_code=204)


OPERATIONS = (
    Operation(
        "GET",
        "/accounts",
        list_accounts,
        "All accounts",
        {200: Answer("In the order they were added.", ref("AccountList"), {"accounts": [_EXAMPLE]})},
        TAG,
    ),
    Operation(
        "POST",
        "/accounts",
        create_account,
        "Create an account",
        {
            201: Answer(
                "The new account.",
                ref("Account"),
                _EXAMPLE,
                headers={"Location": {"description": "Its address.", "schema": {"type": "string"}}},
            )
        },
        TAG,
        description="Everything may be left out: the key is made up then, and nothing is limited.",
        takes={"application/json": {"schema": ref("AccountDocument"), "example": {"credits": {"plate": 1}}}},
        body_required=False,
        fails=(400, 409, 413),
    ),
    Operation(
        "GET",
        "/accounts/{key}",
        get_account,
        "One account",
        {200: _ONE},
        TAG,
        parameters=(_KEY,),
        fails=(404,),
    ),
    Operation(
        "PATCH",
        "/accounts/{key}",
        change_account,
        "Top up, change standing or limits",
        {200: _ONE},
        TAG,
        description='Sets what is named and leaves the rest. `{"credits": {"plate": 2}}` makes the balance 2.',
        parameters=(_KEY,),
        takes={"application/json": {"schema": ref("AccountDocument"), "example": {"credits": {"plate": 2}}}},
        fails=(400, 404, 413),
    ),
    Operation(
        "DELETE",
        "/accounts/{key}",
        delete_account,
        "Delete an account",
        {204: Answer("It is gone, with its counters. A reset brings back one that a file declares.")},
        TAG,
        parameters=(_KEY,),
        fails=(404,),
    ),
)
