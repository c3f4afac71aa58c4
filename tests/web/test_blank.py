"""Server and page agree on what can be seen of every code point there is."""

from __future__ import annotations

import json
import subprocess
import unicodedata

import pytest

from chatroom.core.characters import is_blank
from tests.support.node import node
from tests.support.program import ROOT

# All code points of which the page sees nothing, those that this Node's data do not know, and how old the data are.
_SWEEP = """
import { runnerImport } from 'vite';
const { module } = await runnerImport('./src/lib/blank.ts');
const all = Array.from({ length: 0x110000 }, (_, code) => code);
const blank = all.filter((code) => module.isBlank(String.fromCodePoint(code)));
const unknown = all.filter((code) => /\\p{Cn}/u.test(String.fromCodePoint(code)));
console.log(JSON.stringify({ blank, unknown, version: Number(process.versions.unicode) }));
"""


@pytest.mark.slow
def test_server_and_page_agree_on_every_code_point() -> None:
    done = subprocess.run(
        [node(), "--input-type=module", "--eval", _SWEEP],
        cwd=ROOT / "web",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = json.loads(done.stdout)
    page_blank, page_unknown = set(page["blank"]), set(page["unknown"])
    blank = {code for code in range(0x110000) if is_blank(chr(code))}
    assert len(blank) > 140_000  # most of them private use

    # Of marks that one side does not know yet, that side sees something; there is no other difference.
    assert {hex(code) for code in blank - page_blank if code not in page_unknown} == set()
    newer = (
        {code for code in page_blank if unicodedata.category(chr(code)) == "Cn"}
        if page["version"] > 17
        else set()
    )
    assert {hex(code) for code in page_blank - blank - newer} == set()
