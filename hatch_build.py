"""The package's build hook: it has the page built from `web/` for wheels, sdists and editable installs alike.

How that is done is `web/build_page.py`'s; here is only what hatchling asks for.
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
        """What pip brings into the build's own environment: a Node, where the machine has none."""
        return list(_builder(self.root).requirements())

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        _builder(self.root).build()
        # Git ignores what is built; the package needs it all the same.
        build_data["artifacts"].append("/chatroom/static/")
