"""The decision tree of the playbook: questions that numbers answer; at each end a root cause and its first action.

``TREE`` is unfolded from the rules of :mod:`adkit.diagnose.root_causes`, so that it ends where a diagnosis does.
:func:`walk` answers its questions from a diagnosis, :func:`adkit.course.tree_explorer.tree_explorer` lets the learner
answer them with buttons.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from adkit.diagnose.conditions import Condition
from adkit.diagnose.readings import Evidence
from adkit.diagnose.root_causes import ROOT_CAUSES, SYMPTOMS, UNEXPLAINED, Rule

HEALTHY = "healthy"
OTHER_ENDS = {  # text and first action
    HEALTHY: ("nothing is wrong that this tree knows", "leave it; compare methods if it should be better"),
    UNEXPLAINED: ("the method is at its end", "look at the worst images; then compare methods"),
}


@dataclass(frozen=True)
class Leaf:
    """An end of the tree.

    Attributes:
        cause: a name in :data:`adkit.diagnose.root_causes.ROOT_CAUSES`, ``healthy`` or ``unexplained``.
    """

    cause: str

    @property
    def text(self) -> str:
        """The cause as people call it."""
        return OTHER_ENDS[self.cause][0] if self.cause in OTHER_ENDS else ROOT_CAUSES[self.cause].title

    @property
    def action(self) -> str:
        """What to do first."""
        return OTHER_ENDS[self.cause][1] if self.cause in OTHER_ENDS else ROOT_CAUSES[self.cause].actions[0]


@dataclass(frozen=True)
class Question(Condition):
    """A condition of which both answers lead somewhere.

    Attributes:
        yes, no: the next question, or the end.
    """

    yes: "Question | Leaf" = field(kw_only=True)
    no: "Question | Leaf" = field(kw_only=True)


def unfold(rules: Sequence[tuple[str, Rule]], answers: Mapping[Condition, bool] | None = None) -> Question | Leaf:
    """The tree of a list of rules: it ends at the cause of the first rule that holds, and at ``healthy`` if none does.

    It asks for what the first rule that is still possible needs to know, and never asks a question twice on one way.

    Args:
        rules: (name of a cause, rule), the one to be tried first in front.
        answers: condition → what was answered on the way so far; None: nothing.

    Example:
        >>> noise = Condition("Has σ gone to 0?", ("noise",))
        >>> tree = unfold([("no_kl", Rule(yes=(noise,)))])
        >>> tree.text, tree.yes.cause, tree.no.cause
        ('Has σ gone to 0?', 'no_kl', 'healthy')
    """
    answers = answers or {}
    for name, rule in rules:
        needed = dict.fromkeys(rule.yes, True) | dict.fromkeys(rule.no, False)
        refuted = any(answers.get(condition, answer) != answer for condition, answer in needed.items())
        if refuted:
            continue
        open_questions = [condition for condition in needed if condition not in answers]
        if not open_questions:
            return Leaf(name)
        condition = open_questions[0]
        return Question(
            condition.text, condition.readings, condition.decide,
            yes=unfold(rules, {**answers, condition: True}), no=unfold(rules, {**answers, condition: False}),
        )  # fmt: skip
    return Leaf(HEALTHY)


def _any_symptom(evidence: Evidence) -> bool:
    return any(symptom.condition.answer(evidence) for symptom in SYMPTOMS.values())


ANY_SYMPTOM = Condition(
    "Is any of the six symptoms there all the same?",
    tuple(dict.fromkeys(key for symptom in SYMPTOMS.values() for key in symptom.condition.readings)),
    _any_symptom,
)
RULES = [(cause.name, rule) for cause in ROOT_CAUSES.values() for rule in cause.rules]
TREE = unfold([*RULES, (UNEXPLAINED, Rule(yes=(ANY_SYMPTOM,)))])


def leaves(node: Question | Leaf = TREE) -> Iterator[Leaf]:
    """All ends of the tree, from top to bottom; a cause that several ways lead to comes several times.

    Args:
        node: where to start.

    Example:
        >>> [leaf.cause for leaf in leaves()][-2:]
        ['unexplained', 'healthy']
    """
    if isinstance(node, Leaf):
        yield node
    else:
        yield from leaves(node.yes)
        yield from leaves(node.no)


def follow(answers: Sequence[bool], tree: Question | Leaf = TREE) -> list[Question | Leaf]:
    """The nodes on the way of some answers, the first question first.

    Args:
        answers: True for yes, from the first question on.
        tree: where to start.

    Raises:
        ValueError: if there are more answers than questions on the way.

    Example:
        >>> follow([True, True])[-1].cause
        'untrained'
    """
    way = [tree]
    for answer in answers:
        if isinstance(way[-1], Leaf):
            raise ValueError(
                f"{answers} answers more questions than the way to {way[-1].cause!r} has; "
                f"leave the last {len(answers) - len(way) + 1} out"
            )
        way.append(way[-1].yes if answer else way[-1].no)
    return way


def walk(diagnosis, tree: Question | Leaf = TREE) -> tuple[Leaf, list[bool]]:
    """The end that a diagnosis leads to, and the answers on the way; what is not known counts as no.

    Args:
        diagnosis: what :func:`adkit.diagnose.diagnose` returned, or anything with its ``evidence``.
        tree: where to start.
    """
    answers, node = [], tree
    while isinstance(node, Question):
        answers.append(node.answer(diagnosis.evidence) is True)
        node = node.yes if answers[-1] else node.no
    return node, answers
