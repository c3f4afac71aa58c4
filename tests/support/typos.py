"""Private texts as fingers, keyboards and phones type them: each is a few lines, and none of them may become public.

`{secret}` stands for what is private, and `{room}` for the name of another room that there is.
"""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = ("Bob", "小雨", "Ming Li", "Ben")  # who is here; nobody is called Zed
INVISIBLE = ["", "\ufeff", "\u200b", "\u200e", "\u2060", "\u00ad", "\ufe0f"]
# What keyboards for other scripts have in the same place, or what looks the same.
ALIKE = {"/": "、∕⁄", "t": "тτ", "o": "оοօ", "w": "ԝ", "j": "ј", "i": "і", "s": "ѕ"}


def spelled(word: str) -> st.SearchStrategy[str]:
    """A word in any case and width, in letters that look alike, with anything invisible around and in it."""
    return st.tuples(
        *(st.tuples(st.sampled_from(INVISIBLE), st.sampled_from(shapes(one))) for one in word)
    ).map(lambda parts: "".join(map("".join, parts)))


def shapes(character: str) -> list[str]:
    wide = chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character
    return [character, character, character.upper(), wide, *ALIKE.get(character, "")]


SPACES = st.sampled_from(["", " ", "  ", "\u3000", "\u00a0"])
GAPS = st.sampled_from([" ", "  ", "\u3000", "\u00a0 "])
NAMED = st.sampled_from([*NAMES, "bob", "ｂｏｂ", "MING li", "Zed", "Ming", "nobody at all"])
TYPOS = ["mgs", "mssg", "smg", "tlel", "tp", "wispher", "ot", "tto"]
NAMED_IN_A_WORD = st.sampled_from(["Bob", "小雨", "Zed", "ｂｏｂ", "Zoë"])
PRIVATE = st.one_of(
    st.tuples(
        SPACES, st.sampled_from(["/to", "/msg", "/w", "/too", "/ to", "/ot"]).flatmap(spelled), GAPS, NAMED
    ).map(lambda parts: ["".join(parts) + " {secret}"]),
    st.tuples(SPACES, spelled("to"), SPACES, spelled(":"), SPACES, NAMED).map(
        lambda parts: ["".join(parts), "{secret}"]
    ),
    st.tuples(SPACES, st.sampled_from(["to", "msg", "w"]).flatmap(spelled), GAPS, st.sampled_from(NAMES)).map(
        lambda parts: ["".join(parts) + " {secret}"]
    ),
    st.tuples(
        st.sampled_from(["to;", "ot:", "too:", "\\to ", "。to ", "t:", "to(", "/to:", "/tell ", "/query "]),
        st.sampled_from(NAMES),
    ).map(lambda parts: ["".join(parts), "{secret}"]),
    st.tuples(st.sampled_from(["tell", "pvt", "t", "ot", "私聊"]), GAPS, st.sampled_from(NAMES)).map(
        lambda parts: ["".join(parts) + " {secret}"]
    ),
    st.sampled_from(["/jion {room}", "/join{room}", "/j {room}", "\\/join {room}", "。/join {room}"]).map(
        lambda text: [text, "{secret}"]
    ),
    st.tuples(st.sampled_from(["join", "jion", "joinn"]).flatmap(spelled), GAPS).map(
        lambda parts: ["".join(parts) + "{room}", "{secret}"]
    ),
    # A text behind the name, and what follows it.
    st.tuples(
        spelled("to"), spelled(":"), st.sampled_from(NAMES), st.sampled_from([" ", ": ", "，", "\n"])
    ).map(lambda parts: ["".join(parts) + "{secret}", "{secret}"]),
    st.tuples(st.sampled_from(TYPOS), GAPS, st.sampled_from([*NAMES, "ｂｏｂ", "MING  li"])).map(
        lambda parts: ["".join(parts) + " {secret}"]
    ),
    st.tuples(st.sampled_from(["ot", "tp", "t0", "tto", "то", "το"]), spelled(":"), NAMED_IN_A_WORD).map(
        lambda parts: ["".join(parts), "{secret}"]
    ),
    # A stray key before the slash.
    st.tuples(
        st.sampled_from([*"\\.,;。'"[:5], "🩷"]), st.sampled_from(["/to", "/w", "/msg"]), GAPS, NAMED
    ).map(lambda parts: ["".join(parts) + " {secret}"]),
    st.sampled_from(["/name \u0301", "to:\u0301", "/to\u0301"]).map(
        lambda text: [text + "\nto Bob {secret}"]
    ),
    st.tuples(spelled("/join"), GAPS, st.sampled_from(["a/b", "..", "x" * 65])).map(
        lambda parts: ["".join(parts), "{secret}"]
    ),
)
