"""The decision tree of the playbook: questions that numbers answer; at each leaf a root cause and its first action.

``TREE`` is plain data. :func:`walk` answers its questions from a diagnosis, :func:`tree_explorer` lets the learner
answer them with buttons. Both end at the causes of :mod:`adkit.diagnose.root_causes`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from adkit.diagnose.root_causes import ROOTS

HEALTHY, UNEXPLAINED = "healthy", "unexplained"
OTHER = {
    HEALTHY: ("nothing is wrong that this tree knows", "leave it; compare methods if it should be better"),
    UNEXPLAINED: ("the method is at its end", "look at the worst images; then compare methods"),
}


@dataclass(frozen=True)
class Leaf:
    """An end of the tree: a name in :data:`adkit.diagnose.root_causes.ROOTS`, ``healthy`` or ``unexplained``."""

    cause: str

    @property
    def text(self) -> str:
        """The cause as people call it."""
        return OTHER[self.cause][0] if self.cause in OTHER else ROOTS[self.cause].title

    @property
    def action(self) -> str:
        """What to do first."""
        return OTHER[self.cause][1] if self.cause in OTHER else ROOTS[self.cause].actions[0]


@dataclass(frozen=True)
class Question:
    """A yes-or-no question.

    Attributes:
        text: what to ask.
        readings: keys of the evidence that answers it: yes, if any of them lies on the wrong side of its limit.
        yes, no: where the answers lead.
    """

    text: str
    readings: tuple[str, ...]
    yes: "Question | Leaf"
    no: "Question | Leaf"


TREE = Question(
    "Do all reconstructions look the same?", ("variance_ratio",),
    yes=Question(
        "Was training very short, or its loss still falling?", ("steps", "plateau"),
        yes=Leaf("untrained"),
        no=Question("A VAE, and no latent dimension active?", ("active_units",),
                    yes=Leaf("collapse"), no=Leaf("untrained")),
    ),
    no=Question(
        "Is no latent dimension active?", ("active_units",),
        yes=Leaf("collapse"),
        no=Question(
            "Has σ gone to 0?", ("noise",),
            yes=Leaf("no_kl"),
            no=Question(
                "Does a drawn defect come out of the network again?", ("kept",),
                yes=Leaf("copies"),
                no=Question(
                    "Do the maps of all normal images end at one value?", ("same_top",),
                    yes=Leaf("stretched_maps"),
                    no=Question(
                        "Is the threshold far above every normal score?", ("threshold_over_normals",),
                        yes=Question("Does it fit the maps before smoothing?", ("raw_threshold",),
                                     yes=Leaf("other_unit"), no=Leaf("contaminated")),
                        no=Question(
                            "Are many normal images flagged, or red?", ("share_above", "flagged_normals"),
                            yes=Question("Far more than the percentile promises?", ("broken_promise",),
                                         yes=Leaf("foreign_threshold"), no=Leaf("low_percentile")),
                            no=Question(
                                "Is the ROC AUC of images or pixels near chance?", ("image_auroc", "pixel_auroc"),
                                yes=Question(
                                    "Would the masks fit better if they were moved?", ("shift_gain",),
                                    yes=Leaf("misaligned"),
                                    no=Question(
                                        "Does less smoothing part the images better?", ("better_smoothing",),
                                        yes=Leaf("oversmoothed"),
                                        no=Question("Does another score part them better?", ("better_score",),
                                                    yes=Leaf("mean_score"), no=Leaf(UNEXPLAINED)),
                                    ),
                                ),
                                no=Leaf(HEALTHY),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
)  # fmt: skip


def leaves(node: Question | Leaf = TREE) -> Iterator[Leaf]:
    """All ends of the tree, from top to bottom.

    Example:
        >>> [leaf.cause for leaf in leaves()][:2]
        ['untrained', 'collapse']
    """
    if isinstance(node, Leaf):
        yield node
    else:
        yield from leaves(node.yes)
        yield from leaves(node.no)


def follow(answers: list[bool], tree: Question | Leaf = TREE) -> list[Question | Leaf]:
    """The nodes on the way of some answers, the first question first.

    Raises:
        ValueError: if there are more answers than questions on the way.

    Example:
        >>> follow([True, True])[-1].cause
        'untrained'
    """
    way = [tree]
    for answer in answers:
        if isinstance(way[-1], Leaf):
            raise ValueError(f"{answers} answers more questions than the way to {way[-1].cause!r} has")
        way.append(way[-1].yes if answer else way[-1].no)
    return way


def walk(diagnosis, tree: Question | Leaf = TREE) -> tuple[Leaf, list[bool]]:
    """The leaf that a diagnosis leads to, and the answers on the way; what was not measured counts as no.

    Args:
        diagnosis: what :func:`adkit.diagnose.diagnose` returned.
        tree: where to start.
    """
    answers, node = [], tree
    while isinstance(node, Question):
        answers.append(any(diagnosis.evidence[key].trips for key in node.readings))
        node = node.yes if answers[-1] else node.no
    return node, answers
