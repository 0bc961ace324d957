"""`${new-secret}` in a configuration file."""

import msgspec

from paceline.assembly.new_secrets import PLACEHOLDER, with_new_secrets
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk import ConfigurationServerClient
from paceline.units.quantities import Millis
from paceline.wire.call import Call
from paceline.wire.operations.configuration import Change, ListObjects, ObjectPage, ObjectRecord
from tests.fakes.served import Served


def _body(password: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode({"options": {"ewt": {"password": password, "n": 1}}}))


def _password(change: Change) -> str:
    options = msgspec.json.decode(change.body)["options"]["ewt"]
    assert options["n"] == 1
    return str(options["password"])


def test_a_secret_is_made_once() -> None:
    """A new object gets a fresh secret each, a stored one keeps its own, all else is as written."""

    async def work() -> None:
        times = virtual_times(Millis(0))

        async def listed(_call: Call, request: ListObjects) -> ObjectPage:
            assert request.type == "transactions"
            stored = ObjectRecord(
                type="transactions", id=1, tenant=1, name="old", version=1, body=_body("***")
            )
            return ObjectPage(items=(stored,))

        served = Served("configuration", {"object.list": listed}, times)
        client = ConfigurationServerClient(await served.connect("test"))
        asking = [
            Change(type="transactions", name=name, body=_body(PLACEHOLDER))
            for name in ("old", "new", "newer")
        ]
        plain = Change(type="places", name="Desk", body=msgspec.Raw(b"{}"))
        old, new, newer, same = await with_new_secrets(client, [*asking, plain])
        assert _password(old) == "***"
        assert len(_password(new)) >= 24
        assert _password(new) != _password(newer)
        assert same is plain
        await served.close()

    run_virtual(work())
