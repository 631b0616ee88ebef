"""The decision tree of the playbook, to walk with buttons."""

from typing import Any

from adkit.course.explorers import Explorer, import_ipywidgets
from adkit.diagnose.decision_tree import TREE, Question, follow
from adkit.figures.diagnosis import tree_figure
from adkit.runtime import interactive_mode


class TreeExplorer(Explorer):
    """The tree as a picture, and buttons that walk it where somebody can press them.

    Attributes:
        static: the picture of the whole tree, a `Plot`.
        answers: what was answered so far.
        buttons: name → button; empty where none are wanted.
    """

    def __init__(self, tree: Question, answers: list[bool]):
        super().__init__(lambda: tree_figure(tree, self.answers), tree_figure(tree, answers))
        self.tree, self.answers = tree, []
        self.buttons: dict[str, Any] = {}

    def add_buttons(self) -> None:
        """Add Yes, No, Back and Restart, the question of the moment, and the tree with the way so far."""
        widgets = import_ipywidgets()
        for name in ("Yes", "No", "Back", "Restart"):
            self.buttons[name] = widgets.Button(description=name)
            self.buttons[name].on_click(lambda button: self.press(button.description))
        self.message = widgets.HTML()
        self.picture = widgets.Image(format="png", layout=widgets.Layout(max_width="100%", align_self="flex-start"))
        self.widget = widgets.VBox([self.message, widgets.HBox(list(self.buttons.values())), self.picture])
        self.show()

    def press(self, name: str) -> None:
        """What a button does."""
        node = follow(self.answers, self.tree)[-1]
        if name in ("Yes", "No") and isinstance(node, Question):
            self.answers = [*self.answers, name == "Yes"]
        elif name == "Back":
            self.answers = self.answers[:-1]
        elif name == "Restart":
            self.answers = []
        self.show()

    def show(self) -> None:
        """Say where we are, and show the way there."""
        node = follow(self.answers, self.tree)[-1]
        asks = isinstance(node, Question)
        text = f"<b>{node.text}</b>" if asks else f"<b>{node.text}</b><br>Do first: {node.action}"
        for name in ("Yes", "No"):
            self.buttons[name].disabled = not asks
        self.refresh()
        if not self.message.value:  # else an error, which stays to be read
            self.message.value = text


def tree_explorer(tree: Question = TREE, answers: list[bool] | None = None, interactive: bool = True) -> TreeExplorer:
    """The decision tree to walk with buttons; as the last line of a cell it shows itself.

    Args:
        tree: what to walk.
        answers: a way to mark in the static picture, such as ``walk(diagnosis)[1]``; None: none.
        interactive: add the buttons, unless ``ADKIT_FAST`` or ``ADKIT_HEADLESS`` is set.

    Raises:
        ValueError: if there are more answers than questions on their way.
        ImportError: if buttons are wanted and ipywidgets is not installed.

    Example:
        >>> tree_explorer(interactive=False).widget is None
        True
    """
    follow(answers or [], tree)
    explorer = TreeExplorer(tree, answers or [])
    if interactive_mode(interactive):
        explorer.add_buttons()
    return explorer
