"""Words that a page must show and never obey."""

HOSTILE = (
    "<script>document.title = 'hacked'</script>",
    "<img src=x onerror=\"document.title='hacked'\">",
    "</div></button><iframe srcdoc=\"<script>parent.document.title='hacked'</script>\">",
    "<svg onload=\"document.title='hacked'\"><style>*{display:none}</style>",
    "{{constructor.constructor('document.title=1')()}} ${document.title=1} javascript:document.title=1",
    "\u202egnp.exe\u2066 \u0000 \u2028 \x1b]0;hacked\x07",
    "http://192.0.2.1/pixel.gif <link rel=stylesheet href=//192.0.2.1/x.css>",
)
