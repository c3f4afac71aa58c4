"""Text that wants to become a script: every road by which text has become markup in some page, times every payload.

Nothing of other people's lists: the roads are those of the HTML and URL standards, crossed with one another.
Each string that runs sets `window.hurt`.
"""

from __future__ import annotations

from collections.abc import Iterator

RUN = "window.hurt=1"

_TAGS = [
    "img", "svg", "iframe", "body", "video", "audio", "input", "details", "object", "embed", "math",
    "marquee", "style", "link",
]  # fmt: skip
_EVENTS = [
    "onerror",
    "onload",
    "onfocus",
    "onmouseover",
    "ontoggle",
    "onanimationstart",
    "onpointerenter",
    "onbegin",
]
_SCHEMES = (
    "javascript:{}",
    "JaVaScRiPt:{}",
    " javascript:{}",
    "java\tscript:{}",
    "javascript&colon;{}",
    "&#106;avascript:{}",
    "data:text/html,<script>{}</script>",
    "data:image/svg+xml,<svg onload={}>",
    "vbscript:{}",
    "//example.invalid/{}",
    'https://example.invalid/"onmouseover="{}',
    "https://example.invalid/'><script>{}</script>",
)
_LINKS = (
    "[a]({})",
    "<{}>",
    "{}",
    "![a]({})",
    "[a]: {}",
    '<a href="{}">a</a>',
    "[[a]({})]({})",
    "**[a]({})**",
    "> [a]({})",
    "`[a]({})`",
)
_WHOLE = (
    "<script>RUN</script>",
    "<script src=data:text/javascript,RUN></script>",
    "<scr<script>ipt>RUN</scr</script>ipt>",
    "<SCRIPT>RUN</SCRIPT>",
    "<script/x>RUN</script>",
    "<!--<script>RUN</script>-->",
    "--><script>RUN</script>",
    "</textarea><script>RUN</script>",
    "</title><script>RUN</script>",
    "</style><script>RUN</script>",
    "<![CDATA[<script>RUN</script>]]>",
    "<template><script>RUN</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=RUN>'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=RUN>",
    "<svg><animate onbegin=RUN attributeName=x dur=1s>",
    "<svg><script href=data:text/javascript,RUN />",
    "<iframe srcdoc='<script>parent.RUN</script>'>",
    "<form action=javascript:RUN><button>x",
    "<base href=javascript:RUN//>",
    "<meta http-equiv=refresh content='0;url=javascript:RUN'>",
    "<link rel=stylesheet href=data:text/css,RUN>",
    "<object data=javascript:RUN>",
    "&lt;script&gt;RUN&lt;/script&gt;",
    "&#60;script&#62;RUN&#60;/script&#62;",
    "\\u003cscript\\u003eRUN\\u003c/script\\u003e",
    "{{constructor.constructor('RUN')()}}",
    "${RUN}",
    "{@html '<img src=x onerror=RUN>'}",
    "';RUN//",
    '";RUN//',
    "`;RUN//",
    "\\';RUN//",
    "*/RUN/*",
    "</script><svg onload=RUN>",
    "```html\n<script>RUN</script>\n```",
    "`<script>RUN</script>`",
    "> <script>RUN</script>",
    "**<script>RUN</script>**",
    "@<script>RUN</script>",
    "//<script>RUN</script>",
)
_BREAKS = ('"', "'", "`", ">", '">', "'>", "` ", "\n", "</p>", "-->", "*/", '\\"')


def corpus() -> list[str]:
    """At least five hundred different strings."""
    return list(dict.fromkeys(_all()))


def _all() -> Iterator[str]:
    for whole in _WHOLE:
        yield whole.replace("RUN", RUN)
    for tag in _TAGS:
        for event in _EVENTS:
            yield f"<{tag} src=x {event}={RUN}>"
        yield f"<{tag}/src=x/onerror='{RUN}'//"
        yield f"<{tag.upper()} SRC=x ONERROR={RUN}>"
    for scheme in _SCHEMES:
        for link in _LINKS:
            yield link.replace("{}", scheme.replace("{}", RUN))
    for start in _BREAKS:
        for event in _EVENTS:
            yield f"{start} {event}={RUN} autofocus x={start}"
        for event in (
            "img src=x onerror",
            "svg/onload",
            "details open ontoggle",
            "body onload",
            "input autofocus onfocus",
        ):
            yield f"{start}<{event}={RUN}>"
            yield f"{start}><{event}={RUN} x="
    for depth in range(2, 30):
        yield "<b>" * depth + f"<img src=x onerror={RUN}>" + "*" * depth
        yield "> " * depth + f"<script>{RUN}</script>"
