"""What pages of the log are bounded by."""

import json

from hypothesis import given
from hypothesis import strategies as st

from chatroom.core.log import Entry

spoken = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from('\n\t"\\'))


@given(name=st.text(st.characters(categories=["L"]), max_size=32), text=spoken)
def test_entry_counts_for_no_less_than_its_frame(name: str, text: str) -> None:
    entry = Entry("1700000000000-000001", 1_700_000_000_000, name, text)
    frame = {
        "action": "message",
        "username": name,
        "msg": text,
        "id": entry.id,
        "time": "2023-11-14T22:13:20.000Z",
        "room": "lobby",
    }
    size = len(json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode())
    assert size <= entry.wire_bytes <= size + 100
