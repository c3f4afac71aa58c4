"""The people in the room, as a list to choose from."""

from __future__ import annotations

from typing import Final

from textual.widgets import OptionList
from textual.widgets.option_list import Option

from chatroom.core.sentences import Sentences

SHOWN: Final = 500  # in a larger room, typing the beginning of a name finds someone faster


class People(OptionList):
    """The people, the guest first, then by name.

    Args:
        words: the client's sentences.
    """

    def __init__(self, words: Sentences) -> None:
        self._words = words
        super().__init__(id="people", markup=False, compact=True)

    def show(self, names: dict[str, str], own: str) -> None:
        """Show these people; the highlighted person and the scroll position stay.

        Args:
            names: by session id.
            own: the guest's session id.
        """
        chosen = self.highlighted_option
        place = self.scroll_offset.y
        others = sorted(
            (sid for sid in names if sid != own), key=lambda sid: (names[sid].casefold(), names[sid])
        )
        options = [Option(self._words.say("you", name=names[own]), id=own)] if own in names else []
        options += [Option(names[sid], id=sid) for sid in others[:SHOWN]]
        if len(others) > SHOWN:
            options.append(Option(self._words.say("more_people", count=len(others) - SHOWN), disabled=True))
        self.set_options(options)
        if chosen is not None and chosen.id in names and chosen.id in {option.id for option in options}:
            self.highlighted = self.get_option_index(chosen.id)
        self.scroll_to(y=place, animate=False, immediate=True)
