"""The package's build hook: builds the page from `web/` for wheels, sdists and editable installs.

`web/build_page.py` does the work; this file is only hatchling's interface to it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def _builder(root: str) -> Any:
    # By its path: neither `web/` nor the project's root is on sys.path while a backend runs.
    spec = importlib.util.spec_from_file_location("build_page", Path(root) / "web" / "build_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class PageHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What pip installs into the build's environment: Node, if the machine has none."""
        return list(_builder(self.root).requirements())

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        _builder(self.root).build()
        # Git ignores the built files; the package must include them.
        build_data["artifacts"].append("/chatroom/static/")
