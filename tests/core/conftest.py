"""How hard the core's properties are tried: CHATROOM_TEST_SCALE multiplies the examples."""

import os

from hypothesis import settings

settings.register_profile(
    "core",
    max_examples=int(25 * float(os.environ.get("CHATROOM_TEST_SCALE", "1"))),
    stateful_step_count=20,
    deadline=None,
)
settings.load_profile("core")
