"""Files for a browser: one HTML page that fetches nothing, runs no script, and can be printed."""

from html import escape

# The browser refuses a script or a request, in whatever text it might hide.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# Colours keep a contrast of 4.5 to their ground and are told apart by the colour-blind; a word
# always says the same. What is folded is left out in print, unless it was opened.
STYLE = """
  body { max-width: 1100px; margin: 24px auto; padding: 0 16px; color: #222; background: #fff;
    font: 15px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
  h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; }
  pre, code { font: 13px/1.4 ui-monospace, monospace; white-space: pre-wrap;
    overflow-wrap: anywhere; }
  table { border-collapse: collapse; }
  .scroll { overflow-x: auto; }
  .state { font-weight: bold; border-left: 6px solid #666; padding-left: 8px; }
  .good { border-color: #1b7f46; } .care { border-color: #b36b00; } .bad { border-color: #b3261e; }
  .production { color: #fff; background: #b3261e; padding: 1px 6px; font-weight: bold; }
  .small { color: #555; font-size: 13px; }
  a { color: #0b57a4; }
  summary { cursor: pointer; font-weight: bold; padding: 8px 0; }
  @media print { body { margin: 0; max-width: none; font-size: 12px; }
    details:not([open]) { display: none; } }
"""


def html_page(title: str, body: str) -> str:
    """A whole page; `body` is HTML of our own, `title` is escaped."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def environment_html(environment: str) -> str:
    """The environment's name, with `production` in red."""
    shown = escape(environment)
    return f'<span class="production">{shown}</span>' if environment == "production" else shown
