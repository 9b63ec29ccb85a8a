"""The configuration of Sphinx."""

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from provider import __version__

ROOT = Path(__file__).parents[1]

project = "Image Builder distribution configurations"
version = release = __version__
author = "the contributors"
extensions = ["myst_parser", "sphinx_copybutton"]
highlight_language = "none"
nitpicky = True

myst_enable_extensions = ["alert", "tasklist"]
myst_heading_anchors = 6

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["static", str(ROOT / ".venv-site" / "npm" / "node_modules" / "@mermaid-js" / "tiny" / "dist")]
html_css_files = ["site.css"]
html_favicon = "static/favicon.svg"
templates_path = ["templates"]
html_show_sphinx = False
html_show_copyright = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "version.html",
        "sidebar/scroll-end.html",
    ]
}
html_copy_source = False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
copybutton_prompt_text = "$ "
copybutton_copy_empty_lines = True


class Diagrams(SphinxTransform):
    """Replaces each Mermaid block by the element that mermaid.tiny.js draws."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        """Replace the blocks of one page."""
        for block in [*self.document.findall(nodes.literal_block)]:
            if block.get("language") == "mermaid":
                block.replace_self(nodes.raw("", f'<pre class="mermaid">{escape(block.astext())}</pre>', format="html"))


def add_mermaid(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:  # noqa: ARG001 - the event's arguments
    """Load Mermaid in the pages that have a diagram."""
    if '<pre class="mermaid">' in context.get("body", ""):
        app.add_js_file("mermaid.tiny.js")
        app.add_js_file("draw.js")


def setup(app: Sphinx) -> None:
    """Register the transform and the event."""
    app.add_transform(Diagrams)
    app.connect("html-page-context", add_mermaid)
