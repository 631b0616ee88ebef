"""A diagnosis as a card to read: plain text where it is printed, HTML in a notebook."""

import html
from collections.abc import Sequence

from adkit.diagnose.root_causes import ROOT_CAUSES, SYMPTOMS

RED, GREEN = "#D55E00", "#009E73"  # of Okabe and Ito, as in the figures
NO_FINDING = "no finding: what could be measured shows none of the six symptoms, and no known cause"


def as_text(diagnosis) -> str:
    """The card in plain text.

    Args:
        diagnosis: a :class:`adkit.diagnose.Diagnosis`.
    """
    lines = [] if diagnosis.findings else [NO_FINDING]
    for number, finding in enumerate(diagnosis.findings, start=1):
        lines += [f"{number}. {finding.title} ({finding.cause})", f"   {finding.why}"]
        for title, entries in _sections(finding):
            lines += [f"   {title}", *(f"     - {entry}" for entry in entries)]
    return "\n".join([*lines, *_states(diagnosis)])


def as_html(diagnosis) -> str:
    """The card in HTML, in the style of the quiz cards: a coloured bar, what matters open, the rest folded.

    Args:
        diagnosis: a :class:`adkit.diagnose.Diagnosis`.
    """
    if not diagnosis.findings:
        body = f"<p><b>{_escape(NO_FINDING)}</b></p>"
    else:
        body = "".join(_finding(number, finding) for number, finding in enumerate(diagnosis.findings, start=1))
    states = "".join(f"<p style='margin: 2px 0; opacity: 0.75'>{_escape(line)}</p>" for line in _states(diagnosis))
    rows = "".join(f"<li>{_escape(str(reading))}</li>" for reading in diagnosis.evidence.values())
    folded = f"<details><summary>All readings</summary><ul>{rows}</ul></details>"
    colour = RED if diagnosis.findings else GREEN
    style = f"border-left: 4px solid {colour}; padding: 2px 14px; margin: 6px 0; max-width: 60em"
    return f'<div style="{style}">{body}{states}{folded}</div>'


def _finding(number: int, finding) -> str:
    parts = [f"<p><b>{number}. {_escape(finding.title)}</b><br>{_escape(finding.why)}</p>"]
    for title, entries in _sections(finding):
        rows = "".join(f"<li>{_escape(entry)}</li>" for entry in entries)
        parts.append(f"<p style='margin: 4px 0 0'>{_escape(title)}</p><ul style='margin: 0 0 4px'>{rows}</ul>")
    return "".join(parts)


def _sections(finding) -> Sequence[tuple[str, list[str]]]:
    """Headings with their entries, those with none left out."""
    others = [f"{ROOT_CAUSES[name].title}: {verdict}" for name, verdict in finding.likely]
    sections = [
        ("shows as", [name for _, name in finding.symptoms]),
        ("evidence", [str(reading) for reading in finding.evidence]),
        ("likely causes, in order", others if len(others) > 1 else []),
        ("do", list(finding.actions)),
        ("do not expect help from", [finding.folklore] if finding.folklore else []),
    ]
    return [(title, entries) for title, entries in sections if entries]


def _states(diagnosis) -> list[str]:
    """One line for each state that symptoms are in, but for the present ones, which the findings name."""
    lines = []
    for state in ("absent", "not assessed", "not applicable"):
        names = [symptom.short for number, symptom in SYMPTOMS.items() if diagnosis.symptoms[number] == state]
        if names:
            reason = {"not assessed": " (needs test)", "not applicable": " (no latent Gaussians, or no reconstruction)"}
            lines.append(f"{state}: {', '.join(names)}{reason.get(state, '')}")
    return lines


def _escape(text: str) -> str:
    return html.escape(text, quote=False)
