"""The vocabulary is closed, stable and survives its wire form."""

import msgspec
import pytest

from qunce.domain import events as ev
from qunce.testing.builders import joined, said

EXPECTED_TYPES = (
    "message.created", "message.edited", "message.deleted", "reaction.added", "reaction.removed", "member.joined",
    "member.left",
    "member.restricted", "member.unrestricted", "member.updated", "member.requested", "group.created", "group.updated",
    "group.dismissed", "contact.added", "contact.updated", "contact.removed", "contact.transferred", "tag.changed",
    "consent.changed", "broadcast.updated", "order.updated", "link.clicked", "connector.status", "identity.keyed",
    "identity.linked", "identity.unlinked", "attribute.set", "tag.put", "tag.taken", "segment.entered", "segment.left",
    "tier.moved", "group.charted", "reply.given",
)  # fmt: skip


def test_the_storage_codes_of_types_never_move() -> None:
    assert tuple(ev.TYPE_NAMES[ev.TYPE_BY_CODE[code]] for code in sorted(ev.TYPE_BY_CODE)) == EXPECTED_TYPES


def test_an_event_survives_its_wire_form() -> None:
    for event in (said("群", "小红", "在吗", at="09:30"), joined("群", "小红", at="09:00", inviter="小明")):
        assert ev.decode(ev.encode(event)) == event


@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param({"surprise": 1}, id="an unknown field of the envelope is refused"),
        pytest.param(
            {"body": {"type": "message.created", "message_id": "1", "text": "", "mood": "good"}}, id="of the body too"
        ),
        pytest.param({"body": {"type": "message.invented"}}, id="an unknown type is refused"),
        pytest.param({"ts_ms": "yesterday"}, id="a time that is no number is refused"),
        pytest.param({"actor": {"platform_id": "x", "kind": "robot"}}, id="an unknown kind of party is refused"),
    ],
)
def test_the_schema_is_closed(mutation: dict[str, object]) -> None:
    wire = msgspec.json.decode(ev.encode(said("群", "小红", "在吗", at="09:30")))
    with pytest.raises(msgspec.ValidationError):
        ev.decode(msgspec.json.encode({**wire, **mutation}))
