"""The page for a reader whose address is wrong, in both languages: the server does not know theirs.

It knows markup, and nothing of what is wrong.
"""

from __future__ import annotations

from typing import Final

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>body {{ font: 18px/1.6 system-ui, sans-serif; max-width: 32em; margin: 20vh auto; padding: 0 16px }}
main {{ text-align: center }} h1 {{ font-size: 1.25rem; text-wrap: balance }} a {{ color: inherit }}
code {{ display: inline-block; max-width: 100%; overflow-wrap: anywhere }} div + div {{ margin-top: 3em }}</style>
<main>
<div>{en}</div>
<div lang="zh-CN">{zh}</div>
</main>
"""


def error_page(title: str, en: str, zh: str) -> str:
    """A whole document.

    Args:
        title: of the document, in no language.
        en: what is wrong, as markup.
        zh: the same in Chinese.
    """
    return _PAGE.format(title=title, en=en, zh=zh)
