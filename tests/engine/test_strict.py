"""Socket.IO packets, strictly: JSON that every client can read, whatever the application sends."""

import json

from socketio import packet

from chatroom.engine.strict import StrictPacket


def test_what_is_no_json_number_is_written_as_null_with_attachments_too():
    text, attachment = StrictPacket(
        packet.EVENT, data=["e", float("nan"), float("inf"), b"x"], id=7, namespace="/a"
    ).encode()
    assert text == '51-/a,7["e",null,null,{"_placeholder":true,"num":0}]'
    assert attachment == b"x"
    assert json.loads(StrictPacket(packet.EVENT, data=["e", float("nan")]).encode()[1:]) == ["e", None]
