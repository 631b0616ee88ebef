"""What a lesson says as a card: tidy HTML in a notebook, plain text in a terminal or a log."""

import html
import re
import sys
from dataclasses import dataclass

from adkit.runtime.console import say

# the colour of a card's edge: what went as said, what did not, what is asked
TONES = {"quiet": "#B0B0B0", "right": "#009E73", "wrong": "#D55E00", "asked": "#0072B2"}


@dataclass(frozen=True)
class Card:
    """A short message.

    Attributes:
        text: as a terminal shows it.
        body: the same as HTML.
        tone: ``quiet``, ``right``, ``wrong`` or ``asked``: the colour of its edge.
    """

    text: str
    body: str
    tone: str = "quiet"

    def _repr_html_(self) -> str:
        edge = f"border-left: 4px solid {TONES[self.tone]}; padding: 2px 12px; margin: 4px 0; max-width: 56em"
        return f'<div style="{edge}">{self.body}</div>'

    def __repr__(self) -> str:
        return self.text


def show(card: Card) -> None:
    """Show a card where it is seen: as HTML under a notebook's cell, else as text.

    Args:
        card: what to show.

    Example:
        >>> show(Card("it holds", "<b>it holds</b>"))
        it holds
    """
    if in_notebook():
        from IPython.display import display

        display(card)
    else:
        say(card.text)


def in_notebook() -> bool:
    """Whether this runs in the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def markup(text: str) -> str:
    """Escaped HTML, with text between backticks as code.

    Example:
        >>> markup("`a < b` & c")
        '<code>a &lt; b</code> &amp; c'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def folded(summary: str, body: str) -> str:
    """HTML that opens when its summary is clicked.

    Args:
        summary: plain text that stays in sight.
        body: HTML.
    """
    return f'<details style="margin: 2px 0"><summary>{markup(summary)}</summary>{body}</details>'


def listing(source: str) -> str:
    """Python source as HTML."""
    letters = "margin: 4px 0; font-family: var(--jp-code-font-family, monospace)"
    return f'<pre style="{letters}">{html.escape(source.strip(), quote=False)}</pre>'
