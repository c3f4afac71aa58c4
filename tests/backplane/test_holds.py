"""Names held in memory: no more than the bound."""

from chatroom.backplane.holds import MOST_HELD, Holds


def test_of_too_many_names_the_oldest_is_free() -> None:
    holds = Holds(lambda: 0.0)
    for number in range(MOST_HELD + 1):
        holds.hold("lobby", f"name {number}", f"Name {number}", f"identity {number}", 300)
    assert holds.holder("lobby", "name 0") is None
    assert holds.release("lobby", "identity 0") is None
    assert holds.holder("lobby", "name 1") == "identity 1"
    assert holds.release("lobby", f"identity {MOST_HELD}") == f"Name {MOST_HELD}"
