"""The HTML report of an executed notebook: one file that needs no network and runs no script."""

import json
from pathlib import Path
from typing import Any

from loyalty_helpers.files import write_text
from loyalty_helpers.records import POLICY, STYLE, environment_html
from loyalty_helpers.runner.answer import Answer

# nbconvert's page would fetch scripts from public hosts. Here they are left out, and the policy
# makes the browser refuse any other, in whatever text they might hide. Its style sheet is
# JupyterLab's own, 280 kB and most of the time that a report takes; these lines do as well.
TEMPLATE = f"""
{{%- extends 'lab/index.html.j2' -%}}
{{%- block html_head_js -%}}
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
{{%- endblock -%}}
{{%- block html_head_js_mathjax -%}}{{%- endblock -%}}
{{%- block html_head_js_mermaidjs -%}}{{%- endblock -%}}
{{%- block notebook_css -%}}
<style>{STYLE}
  .answer h1 {{ border-left-width: 10px; padding: 4px 0 4px 12px; }}
  .answer h2 {{ font-size: 17px; margin: 20px 0 4px; }}
  .answer p {{ margin: 4px 0; }}
  .told {{ white-space: pre-line; }}
  .facts th {{ text-align: left; vertical-align: top; padding: 3px 16px 3px 0; color: #555;
    font-weight: normal; white-space: nowrap; }}
  .facts td {{ padding: 3px 0; overflow-wrap: anywhere; }}
  .scroll td {{ overflow-wrap: normal !important; }}
  details {{ margin-top: 28px; border-top: 1px solid #ddd; }}
  a.anchor-link, .jp-Collapser {{ display: none; }}
  .jp-Cell {{ margin: 12px 0; }}
  .jp-InputArea, .jp-OutputArea-child {{ display: flex; }}
  .jp-InputPrompt, .jp-OutputPrompt {{ flex: 0 0 70px; color: #777;
    font: 12px/2 ui-monospace, monospace; }}
  .jp-MarkdownCell .jp-InputPrompt {{ display: none; }}
  .jp-InputArea-editor, .jp-OutputArea-output {{ flex: 1; min-width: 0; overflow-x: auto; }}
  .jp-CodeMirrorEditor .highlight {{ background: #f5f5f5; padding: 4px 10px; }}
  .highlight pre {{ margin: 0; }}
  .jp-MarkdownCell th, .jp-MarkdownCell td {{ border: 1px solid #ddd; padding: 4px 8px;
    text-align: left; }}
  [data-mime-type*="stderr"] {{ background: #fdd; }}
  @media (max-width: 700px) {{ .jp-InputPrompt, .jp-OutputPrompt {{ display: none; }} }}
</style>
{{%- endblock -%}}
{{%- block data_svg scoped -%}}
<div class="jp-RenderedSVG jp-OutputArea-output" data-mime-type="image/svg+xml">
<img style="max-width: 100%" alt="{{{{ output.data['text/plain'] | escape_html }}}}"
 src="data:image/svg+xml;base64,{{{{ output.data['image/svg+xml'] | text_base64 }}}}"></div>
{{%- endblock -%}}
{{%- block body_header -%}}
{{{{ super() }}}}
{{%- set answer = resources.answer %}}
<section class="answer">
<h1 class="state {{{{ answer.tone }}}}">{{{{ answer.headline | escape_html }}}}</h1>
{{%- if answer.told %}}
<p class="told">{{{{ answer.told | escape_html }}}}</p>
{{%- endif %}}
<table class="facts">
{{%- for label, value in answer.facts %}}
<tr><th scope="row">{{{{ label }}}}</th><td>{{{{ value | escape_html }}}}</td></tr>
{{%- endfor %}}
<tr><th scope="row">Environment</th><td>{{{{ resources.environment }}}}</td></tr>
</table>
<h2>What to do next</h2>
{{%- for line in answer.todo %}}
<p>{{{{ line | escape_html }}}}</p>
{{%- endfor %}}
{{%- if answer.command %}}
<pre>{{{{ answer.command | escape_html }}}}</pre>
{{%- endif %}}
<div class="scroll">{{{{ answer.rows }}}}</div>
</section>
<details><summary>How it was done: the notebook with its code and its outputs</summary>
{{%- endblock -%}}
{{%- block body_footer -%}}
</details>
{{{{ super() }}}}
{{%- endblock -%}}
"""

# nbconvert's own list knows no headings and no paragraphs, and would show their tags as text.
TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "div", "span", "blockquote"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("details", "summary", "ul", "ol", "li", "dl", "dt", "dd", "pre", "code"),
    *("a", "b", "i", "em", "strong", "s", "del", "small", "sub", "sup"),
}
ATTRIBUTES = {"*": {"class", "id", "style"}, "a": {"href"}}
STYLES = {
    *("text-align", "vertical-align", "white-space", "max-width", "overflow", "color"),
    *(
        "border-left",
        "display",
        "font-family",
        "font-size",
        "line-height",
        "margin-bottom",
        "margin-right",
    ),
    *("overflow-wrap", "padding", "padding-left", "word-break"),
}


def clean_html(html: Any) -> str:
    """HTML of text cells and outputs without scripts, event handlers, frames and images."""
    import nh3

    text = html.decode() if isinstance(html, bytes) else str(html)
    return nh3.clean(
        text,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=live_link,
        filter_style_properties=STYLES,
    )


def live_link(_: str, name: str, value: str) -> str | None:
    """The attribute, without a link to another notebook: none lies beside a report."""
    dead = name == "href" and not value.startswith(("https://", "#"))
    return None if dead else value


def report_maker(source: Path) -> Any:
    """An nbconvert exporter that is warm: it has made the report of `source` as it is.

    Loading, compiling templates and patterns takes half a second, and making a report with all
    that done a fifth of it; so this is called while the kernel works.
    """
    from nbconvert.exporters.html import HTMLExporter

    exporter = HTMLExporter(
        sanitize_html=True, filters={"clean_html": clean_html}, raw_template=TEMPLATE
    )
    exporter.from_filename(str(source), resources={"answer": {}})
    return exporter


def write_report(maker: Any, notebook: dict[str, Any], path: Path, answer: Answer) -> None:
    """Write the report of an executed notebook: the answer, and folded below it how it was done."""
    import nbformat

    node = nbformat.reads(json.dumps(notebook), as_version=4)
    for number, cell in enumerate(node.cells):
        cell["id"] = str(number)  # papermill adds a cell whose id is by chance
    environment = environment_html(answer.environment)
    resources = {
        "metadata": {"name": path.stem},
        "answer": answer,
        "environment": environment,
    }
    body, _ = maker.from_notebook_node(node, resources)
    write_text(path, body)
