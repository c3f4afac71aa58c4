"""What an installed copy promises: one version everywhere, and a package whose import has no effect."""

import json
import re
import subprocess
import sys
from importlib import metadata

import chatroom


def test_installed_version_is_the_packages_own() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", chatroom.__version__)
    assert metadata.version("chatroom") == chatroom.__version__


def test_importing_the_package_loads_nothing_else() -> None:
    """Patching must come first: `import chatroom` may load no module, neither ours nor a library's."""
    script = (
        "import sys, json; before = set(sys.modules); import chatroom; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert json.loads(done.stdout) == ["chatroom"]
