"""The field's list of what to try with a VAE that detects badly, symptom by symptom, each entry with its verdict.

The entries marked as added are this kit's own: causes that the list lacks. Where a verdict comes from is named: the
notebook and the section whose cell shows it.
"""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adkit.diagnose.root_causes import SYMPTOMS

CAUSE, ACTION, LOOK = "said to cause it", "said to help", "said to be worth a look"
IS_CAUSE, NO_CAUSE = "a cause, shown", "tested, not its cause here"
HELPS, NO_HELP, BACKWARDS = "tested, helps", "tested, not shown to help", "backwards"
MIXED, TRADE = "tested, better for one type of defect only", "tested, finds more and flags more"
VERDICTS = {CAUSE: (IS_CAUSE, NO_CAUSE), ACTION: (HELPS, NO_HELP, BACKWARDS, MIXED, TRADE), LOOK: (HELPS, NO_HELP)}

PLAYBOOK, ACTIONS = "07_diagnostic_playbook", "07b_more_actions"
PHASE_3, VAE, VARIANTS = "03_phase3_architectures", "06_variational_autoencoder", "06b_vae_variants_and_screening"
ALL = 0  # what belongs to no symptom alone


@dataclass(frozen=True)
class Entry:
    """One line of the list.

    Attributes:
        symptom: its number; 0: all of them.
        kind: what is said of it: ``CAUSE``, ``ACTION`` or ``LOOK``.
        text: the cause or the advice.
        verdict: what the kit found, one of ``VERDICTS[kind]``.
        notebook: stem of the file whose cell shows it.
        section: anchor in that notebook; empty: the notebook as a whole.
        added: the list lacks it.
    """

    symptom: int
    kind: str
    text: str
    verdict: str
    notebook: str
    section: str = ""
    added: bool = False

    def link(self, here: str = "") -> str:
        """Address of the section.

        Args:
            here: stem of the notebook that the link stands in; its own sections need no file name.

        Example:
            >>> Entry(1, ACTION, "look", HELPS, PLAYBOOK, "scores").link(PLAYBOOK)
            '#scores'
        """
        file = "" if here == self.notebook and self.section else f"{self.notebook}.ipynb"
        return file + (f"#{self.section}" if self.section else "")


def _of(symptom: int, *entries: tuple) -> Iterator[Entry]:
    return (Entry(symptom, *entry) for entry in entries)


CLASSIC_LIST = (
    *_of(1,
         (CAUSE, "the threshold is far too high", IS_CAUSE, PLAYBOOK, "nothing-found"),
         (CAUSE, "… it was measured before smoothing, scores come after it", IS_CAUSE, PLAYBOOK, "nothing-found", True),
         (CAUSE, "… it is the maximum of a set with defects in it", IS_CAUSE, PLAYBOOK, "nothing-found", True),
         (CAUSE, "the percentile of normal scores is too strict", NO_CAUSE, ACTIONS, "percentiles"),
         (CAUSE, "the errors lie too close together", NO_CAUSE, ACTIONS, "narrow"),
         (CAUSE, "normal and defective scores overlap", NO_CAUSE, PLAYBOOK, "nothing-found"),
         (ACTION, "lower the percentile from 95 to 90 or 85, and look again", TRADE, ACTIONS, "percentiles"),
         (ACTION, "raise the percentile when nothing is found", BACKWARDS, ACTIONS, "percentiles"),
         (ACTION, "stop training before it over-smooths", NO_HELP, ACTIONS, "stopping"),
         (ACTION, "train the network again", NO_HELP, PLAYBOOK, "nothing-found")),
    *_of(2,
         (CAUSE, "the KL term is too strong: posterior collapse", IS_CAUSE, PLAYBOOK, "alike"),
         (CAUSE, "the network has hardly been trained", IS_CAUSE, PLAYBOOK, "alike", True),
         (CAUSE, "the decoder is too weak", NO_CAUSE, ACTIONS, "capacity"),
         (ACTION, "lower β", HELPS, PLAYBOOK, "alike"),
         (ACTION, "let β grow slowly (annealing)", NO_HELP, VAE, ""),
         (ACTION, "leave each dimension some free nats", HELPS, VAE, ""),
         (ACTION, "a decoder with more capacity", NO_HELP, ACTIONS, "capacity"),
         (ACTION, "a conditional VAE that is told the fabric", NO_HELP, VARIANTS, "")),
    *_of(3,
         (CAUSE, "the reconstruction is poor: hardly trained", IS_CAUSE, PLAYBOOK, "red"),
         (CAUSE, "the reconstruction is poor: the latent space is too small", IS_CAUSE, PLAYBOOK, "red"),
         (CAUSE, "each map is stretched to its own range", IS_CAUSE, PLAYBOOK, "red", True),
         (CAUSE, "the thresholds come from other images", IS_CAUSE, PLAYBOOK, "red", True),
         (CAUSE, "the percentile is too low", IS_CAUSE, PLAYBOOK, "red", True),
         (ACTION, "train longer", HELPS, PLAYBOOK, "red"),
         (ACTION, "a larger latent space, from 32 to 64 or 128 dimensions", NO_HELP, ACTIONS, "capacity"),
         (ACTION, "BatchNorm", HELPS, ACTIONS, "training"),
         (ACTION, "another initialisation, where BatchNorm is missing", HELPS, ACTIONS, "result"),
         (ACTION, "skip connections, a shallow U-Net (less is found)", BACKWARDS, VARIANTS, ""),
         (ACTION, "lower the percentile when everything is flagged", BACKWARDS, PLAYBOOK, "red")),
    *_of(4,
         (CAUSE, "the KL term is too strong: posterior collapse", IS_CAUSE, PLAYBOOK, "alike"),
         (ACTION, "lower β", HELPS, PLAYBOOK, "flat"),
         (ACTION, "more latent dimensions", NO_HELP, VAE, "")),
    *_of(5,
         (CAUSE, "the KL term is missing or far too weak", IS_CAUSE, PLAYBOOK, "sigma"),
         (ACTION, "raise β", HELPS, PLAYBOOK, "sigma"),
         (ACTION, "lower the weight of the KL term", BACKWARDS, PLAYBOOK, "sigma"),
         (ACTION, "mild noise on the input", NO_HELP, ACTIONS, "sigma"),
         (ACTION, "a shallower encoder", NO_HELP, ACTIONS, "sigma"),
         (ACTION, "look for the defects in the latent space", MIXED, ACTIONS, "latent")),
    *_of(6,
         (CAUSE, "maps and masks do not lie on one another", IS_CAUSE, PLAYBOOK, "stuck"),
         (CAUSE, "the network copies the defects", IS_CAUSE, PLAYBOOK, "stuck", True),
         (CAUSE, "the mean score hides small defects", IS_CAUSE, PLAYBOOK, "stuck", True),
         (CAUSE, "the smoothing is wider than the defects", IS_CAUSE, PLAYBOOK, "stuck", True),
         (CAUSE, "latent space or decoder cannot express the cloth", NO_CAUSE, ACTIONS, "capacity"),
         (CAUSE, "patches do not hold what is sought: nothing can separate the set", NO_CAUSE, ACTIONS, "bound"),
         (ACTION, "widen the latent space or the decoder", NO_HELP, ACTIONS, "capacity"),
         (ACTION, "train on several fabrics, in the same steps", BACKWARDS, ACTIONS, "training"),
         (ACTION, "weight the loss to high frequencies", NO_HELP, ACTIONS, "training"),
         (ACTION, "train longer", NO_HELP, ACTIONS, "training")),
    *_of(ALL,
         (LOOK, "maps of the error, pixel by pixel", HELPS, PLAYBOOK, "looks"),
         (LOOK, "the spectrum of the error", HELPS, PLAYBOOK, "looks"),
         (LOOK, "histograms of μ and σ", HELPS, PLAYBOOK, "flat"),
         (LOOK, "the histogram of the scores", HELPS, PLAYBOOK, "tree"),
         (LOOK, "a film of the training: overtraining can be seen", HELPS, ACTIONS, "stopping")),
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class Listing:
    """Some entries as a table: HTML in a notebook, text in a terminal."""

    entries: tuple[Entry, ...]
    here: str = ""

    def __repr__(self) -> str:
        lines = []
        for title, rows in self._groups():
            lines += [title, *(f"  {row.kind}: {_text(row)}: {row.verdict} ({row.link(self.here)})" for row in rows)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align: left'>{name}</th>" for name in ("", "", "verdict", "shown in"))
        body = "".join(
            f"<tr><td colspan='4' style='text-align: left'><b>{html.escape(title)}</b></td></tr>"
            + "".join(map(self._row, rows))
            for title, rows in self._groups()
        )
        return f"<table style='max-width: 60em'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _row(self, entry: Entry) -> str:
        title = "here" if entry.notebook == self.here else f"notebook {entry.notebook.split('_')[0]}"
        link = f"<a href='{entry.link(self.here)}'>{title}</a>"
        cells = (html.escape(entry.kind), html.escape(_text(entry)), f"<b>{entry.verdict}</b>", link)
        return "<tr>" + "".join(f"<td style='text-align: left'>{cell}</td>" for cell in cells) + "</tr>"

    def _groups(self) -> Iterator[tuple[str, list[Entry]]]:
        for number in (*SYMPTOMS, ALL):
            title = SYMPTOMS[number].name if number else "whatever the symptom"
            if rows := [entry for entry in self.entries if entry.symptom == number]:
                # a Greek letter that begins a title is a symbol, and stays
                yield title[0].upper() + title[1:] if title[0].isascii() else title, rows


def _text(entry: Entry) -> str:
    return entry.text + (" (added by the kit)" if entry.added else "")


def classic_list(here: str = "", only: Sequence[str] = ()) -> Listing:
    """The list as a table, symptom by symptom.

    Args:
        here: stem of the notebook that shows it, whose own sections are linked as such.
        only: stems of notebooks: entries that are shown in one of them; empty: all.

    Example:
        >>> print(str(classic_list(only=["06b_vae_variants_and_screening"])).splitlines()[0])
        All reconstructions look the same
    """
    return Listing(tuple(entry for entry in CLASSIC_LIST if not only or entry.notebook in only), here)
