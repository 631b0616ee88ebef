"""A report as one HTML page that asks no host for anything: pictures, style and script are in it, names are inert."""

import html
import json
from collections import Counter
from collections.abc import Sequence

from adkit.deploy.pictures import COLOURS
from adkit.deploy.report.histogram import histogram
from adkit.deploy.report.rows import Row, Rows
from adkit.deploy.report.style import CSS, SCRIPT, csp
from adkit.scoring.policy import Policy

VERDICTS = ("anomalous", "review", "normal", "fault")
WORDS = {
    "anomalous": "anomalous",
    "review": "for review",
    "normal": "normal",
    "fault": "camera fault",
}
# rows of the suppression log at most; report.json holds all of them
LOGGED = 1000
RULES_HINT = (
    "A suppressed region is one that the policy does not count. Its rule, what was measured and the limit stand here; "
    "all of them are in the JSON file beside this page."
)


def page(rows: Rows, policy: Policy, normals: Sequence[float], provenance: dict, title: str, no_picture: str) -> str:
    """The whole page.

    Args:
        rows: the worst first.
        policy: under which the images were judged.
        normals: scores of the detector's normal images; empty where they are not known.
        provenance: what stands at the end, name → text.
        title: of the page.
        no_picture: what stands where a picture is left out.
    """
    sections = [
        _head(rows, policy, title, provenance),
        _strong(rows),
        _scores(rows, policy, normals),
        _table(rows, policy),
        _cards(rows, policy, no_picture),
        _log(rows),
        _skipped(rows),
        _provenance(provenance, policy),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{csp(SCRIPT)}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{_text(title)}</title><style>{CSS}</style></head><body>"
        '<input type="checkbox" id="lines" checked hidden>'
        f"<main>{''.join(sections)}</main><script>{SCRIPT}</script></body></html>\n"
    )


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)


def _badge(verdict: str) -> str:
    return f'<span class="badge {verdict}">{WORDS[verdict]}</span>'


def _head(rows: Rows, policy: Policy, title: str, provenance: dict) -> str:
    counts = Counter(row.numbers["verdict"] for row in rows.rows)
    tiles = [(len(rows.rows), "images judged")]
    tiles += [(counts[verdict], WORDS[verdict]) for verdict in VERDICTS if counts[verdict] or verdict != "fault"]
    tiles.append((len(rows.skipped), "file not read" if len(rows.skipped) == 1 else "files not read"))
    shown = "".join(f'<div class="tile"><b>{count}</b>{words}</div>' for count, words in tiles)
    how = {
        "score": f"An image is anomalous where its score reaches {policy.image_threshold:.4g}.",
        "regions": "An image is anomalous where a region is kept.",
        "both": "An image is anomalous where a region is kept and the score without the suppressed ones reaches "
        f"{policy.image_threshold:.4g}.",
    }[policy.decide]
    return (
        f'<h1>{_text(title)}</h1><p class="soft">{_text(provenance.get("detector", ""))} · '
        f"{_text(provenance.get('made', ''))} · policy {policy.sha256[:12]}</p><p>{how}</p>"
        f'<div class="tiles">{shown}</div>'
    )


def _strong(rows: Rows) -> str:
    found = [
        (row.numbers, one) for row in rows.rows for one in row.numbers["suppressed"] if one["strong"]
    ]  # the worst image first
    if not found:
        return ""
    items = "".join(
        f"<li>{_link(numbers)}: {_text(one['rule'])} (measured {one['value']:.4g}, limit {one['limit']:.4g}), peak "
        f"{one['region']['peak']:.4g}, {one['region']['area']} px</li>"
        for numbers, one in found[:20]
    )
    more = f"<li>and {len(found) - 20} more, in the log below</li>" if len(found) > 20 else ""
    return (
        f'<div class="alert" role="note"><h3>{len(found)} strong region(s) suppressed</h3><p>Each is as conspicuous '
        f"as a defect, and the policy does not count it. Look at these first.</p><ul>{items}{more}</ul></div>"
    )


def _link(numbers: dict) -> str:
    return f'<a href="#{_anchor(numbers)}">{_text(numbers["path"])}</a>'


def _anchor(numbers: dict) -> str:
    return f"i{numbers['number']}"


def _scores(rows: Rows, policy: Policy, normals: Sequence[float]) -> str:
    # what a dead camera scores says nothing
    scores = [row.numbers["score"] for row in rows.rows if row.numbers["verdict"] != "fault"]
    if not scores:
        return ""
    known = "" if normals else '<p class="soft">The scores of the detector\'s normal images are not known.</p>'
    return f"<h2>Scores</h2>{histogram(scores, normals, policy)}{known}"


def _table(rows: Rows, policy: Policy) -> str:
    if not rows.rows:
        return ""
    counts = Counter(row.numbers["verdict"] for row in rows.rows)
    buttons = '<button data-filter="all" aria-pressed="true">all</button>' + "".join(
        f'<button data-filter="{verdict}" aria-pressed="false">{WORDS[verdict]} {counts[verdict]}</button>'
        for verdict in VERDICTS
        if counts[verdict]
    )
    heads = [("image", ""), ("verdict", ""), ("score / threshold", "num"), ("", ""), ("kept", "num")]
    heads += [("suppressed", "num"), ("mask", "num"), ("warnings", "")]
    head = "".join(f'<th class="{kind}"{" data-sort" if name else ""}>{name}</th>' for name, kind in heads)
    lines = "".join(_line(row.numbers, policy) for row in rows.rows)
    return (
        '<h2>Images, the worst first</h2><div class="tools needs-script">'
        f'{buttons}<input type="search" id="search" placeholder="find a name" aria-label="find a name"></div>'
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
    )


def _line(numbers: dict, policy: Policy) -> str:
    # a threshold of 0 or below has no ratio that says anything
    ratio = numbers["score"] / policy.image_threshold if policy.image_threshold > 0 else None
    cell = f"{ratio:.2f}" if ratio is not None else f"{numbers['score']:.4g}"
    width = min(max(50 * ratio, 0), 100) if ratio is not None else 0
    bar = f'<span class="bar{" over" * bool(ratio and ratio >= 1)}"><i style="width:{width:.0f}%"></i><s></s></span>'
    return (
        f'<tr data-verdict="{numbers["verdict"]}" data-name="{_text(numbers["path"])}">'
        f'<td class="name">{_link(numbers)}</td>'
        f"<td>{_badge(numbers['verdict'])}</td>"
        f'<td class="num" data-value="{numbers["score"]:.9g}">{cell}</td><td>{bar}</td>'
        f'<td class="num">{len(numbers["regions"])}</td><td class="num">{len(numbers["suppressed"])}</td>'
        f'<td class="num" data-value="{numbers["mask_share"]:.9g}">{100 * numbers["mask_share"]:.2f} %</td>'
        f"<td>{_text(', '.join(numbers['warnings'])) or '–'}</td></tr>"
    )


def _cards(rows: Rows, policy: Policy, no_picture: str) -> str:
    if not rows.rows:
        return ""
    stops = ", ".join(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in COLOURS[::15].tolist())
    legend = (
        '<div class="tools"><span class="legend">map: 0 '
        f'<span class="ramp" style="background:linear-gradient(90deg,{stops})"></span> '
        f"{2 * policy.pixel_threshold:.3g}, twice the pixel threshold, in every picture</span>"
        '<span class="legend"><svg width="26" height="8"><path class="kept" d="M0 4H26"/></svg> kept '
        '<svg width="26" height="8"><path class="gone" d="M0 4H26"/></svg> suppressed</span>'
        '<label class="legend" for="lines"><u>show or hide the outlines</u></label></div>'
    )
    return "<h2>Pictures</h2>" + legend + "".join(_card(row, policy, no_picture) for row in rows.rows)


def _card(row: Row, policy: Policy, no_picture: str) -> str:
    numbers, picture = row.numbers, row.picture
    size = numbers["input"]
    head = (
        f'<article class="card" id="{_anchor(numbers)}" data-verdict="{numbers["verdict"]}" '
        f'data-name="{_text(numbers["path"])}"><div class="head"><h3>{_text(numbers["path"])}</h3>'
        f'{_badge(numbers["verdict"])}<span class="soft">{_text(numbers["reason"])} · '
        f"{size['width']} × {size['height']} px, "
        f"{size['bits']} bit{' · ' + _text(', '.join(numbers['warnings'])) if numbers['warnings'] else ''}</span></div>"
    )
    if picture is None:
        return f'{head}<p class="soft">{_text(no_picture)}</p></article>'
    box = f'viewBox="0 0 {size["width"]} {size["height"]}" preserveAspectRatio="none"'
    lines = "".join(
        f'<path class="{kind}" d="{path}"><title>{_text(words)}</title></path>'
        for kind, drawn in (("gone", picture.suppressed), ("kept", picture.kept))
        for path, words in drawn
    )
    name = _text(numbers["path"])
    shape = "pics tall" if size["height"] * 1.6 > size["width"] else "pics"
    return (
        f'{head}<div class="{shape}"><figure><div class="frame"><img loading="lazy" src="{picture.image}" '
        f'alt="{name}, {WORDS[numbers["verdict"]]}, with {len(numbers["regions"])} region(s) kept and '
        f'{len(numbers["suppressed"])} suppressed"><svg {box} aria-hidden="true">{lines}</svg></div></figure>'
        f'<figure><div class="frame"><img loading="lazy" src="{picture.map}" alt="anomaly map of {name}, highest value '
        f'{max([r["peak"] for r in numbers["regions"]], default=0):.4g} in a kept region"></div></figure></div>'
        "</article>"
    )


def _log(rows: Rows) -> str:
    found = [(row.numbers, one) for row in rows.rows for one in row.numbers["suppressed"]]
    by_rule = Counter(one["rule"] for _, one in found)
    if not found:
        return "<h2>Suppressed regions</h2><p>None.</p>"
    lines = "".join(
        f'<tr><td class="name">{_link(numbers)}</td><td>{_text(one["rule"])}</td>'
        f'<td class="num">{one["value"]:.4g}</td>'
        f'<td class="num">{one["limit"]:.4g}</td><td class="num">{one["region"]["area"]}</td>'
        f'<td class="num">{one["region"]["peak"]:.4g}</td><td class="num">{one["region"]["box"][0]}, '
        f"{one['region']['box'][1]}</td><td>{'strong' if one['strong'] else ''}"
        f"{' changed the verdict' if one['verdict_changed'] else ''}</td></tr>"
        for numbers, one in found[:LOGGED]
    )
    names = ("image", "rule", "measured", "limit", "area", "peak", "top, left", "")
    head = "".join(f"<th>{name}</th>" for name in names)
    summary = ", ".join(f"{rule} {count}" for rule, count in by_rule.most_common())
    more = f"<p>The first {LOGGED} of {len(found)}.</p>" if len(found) > LOGGED else ""
    return (
        f'<h2>Suppressed regions</h2><p class="soft">{RULES_HINT}</p><details class="box"><summary>{len(found)} '
        f'region(s): {_text(summary)}</summary>{more}<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div></details>"
    )


def _skipped(rows: Rows) -> str:
    if not rows.skipped:
        return ""
    lines = "".join(
        f'<tr><td class="name">{_text(one["path"])}</td><td><code>{_text(one["code"])}</code></td>'
        f"<td>{_text(one['reason'])}</td></tr>"
        for one in rows.skipped
    )
    head = "<th>file</th><th>code</th><th>why</th>"
    return (
        f'<h2>Files that were not read</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _provenance(provenance: dict, policy: Policy) -> str:
    def entry(name: str, value: object) -> str:
        text = value if isinstance(value, str) else json.dumps(value, allow_nan=False, ensure_ascii=False)
        return f"<dt>{_text(name)}</dt><dd>{_text(text)}</dd>"

    listed = "".join(entry(name, value) for name, value in provenance.items())
    rules = "".join(entry(name, value) for name, value in policy.as_dict().items())
    return (
        f'<h2>Where this comes from</h2><dl>{listed}</dl><details class="box" style="margin-top:12px"><summary>policy '
        f"{policy.sha256}</summary><dl>{rules}</dl></details>"
    )
