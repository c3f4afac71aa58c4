"""The end of the server: everyone is disconnected, spread over time, and nobody delays it."""

from __future__ import annotations

import pytest

from chatroom.stopping import disconnect_all


class Stop:
    """Disconnects so many clients, each of whom takes so long, on a clock of its own."""

    def __init__(self, clients: int, takes_s: float, *, drains: bool) -> None:
        self.now, self._takes_s, self._drains = 0.0, takes_s, drains
        self.closed: list[float] = []
        disconnect_all(
            [str(number) for number in range(clients)],
            self._close,
            lambda: self._drains,
            monotonic=lambda: self.now,
            sleep=self._sleep,
        )

    def _close(self, session: str) -> None:
        self.now += self._takes_s
        self.closed.append(self.now)

    def _sleep(self, seconds: float) -> None:
        self.now += max(seconds, 1e-6)


@pytest.mark.parametrize("clients", [0, 1, 500, 3_000, 20_000])
def test_all_are_disconnected_spread_over_three_seconds(clients: int) -> None:
    stop = Stop(clients, 0.0, drains=True)
    assert len(stop.closed) == clients
    assert stop.now == pytest.approx(min(clients / 2000, 3.0), abs=0.1)


@pytest.mark.parametrize("takes_s", [0.0, 0.001, 0.004, 0.1])
def test_who_does_not_read_hardly_delays_the_end(takes_s: float) -> None:
    stop = Stop(4_000, takes_s, drains=False)
    assert len(stop.closed) > 20
    assert stop.now < 4.6
