"""What a detector can be told: frozen dataclasses of plain values, checked when they are made.

Each method keeps its own settings beside its class, one field a line under a comment that says what it is. What methods
share stands here, once. Settings are literals only, so that they go to JSON and come back equal.
"""

import difflib
import inspect
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from numbers import Real

from adkit.runtime import resolve_device


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of every detector. A method with more of them adds fields in a frozen dataclass of its own.

    Tuples become lists, as JSON gives them back, and all is copied: settings that have been on disk equal those that
    have not, and later changes of an argument change nothing.

    Raises:
        ValueError: if a value is no literal, or out of its range.

    Example:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class EdgeSettings(Settings):
        ...     # standard deviation of the smoothing, in pixels
        ...     smoothing: float = 2.0
        ...
        ...     def __post_init__(self):
        ...         super().__post_init__()
        ...         self.check("smoothing", at_least_zero, "0 or a positive number of pixels")
        >>> EdgeSettings(smoothing=-1)
        Traceback (most recent call last):
        ...
        ValueError: smoothing must be 0 or a positive number of pixels, got -1
    """

    # percentile, between 0 and 100, of the validation normals' image scores: the image threshold
    percentile: float = 95.0
    # percentile, between 0 and 100, of the validation normals' pixels: the threshold of the mask
    pixel_percentile: float = 99.5
    # whole number; another seed draws other random numbers wherever the method draws any
    seed: int = 0
    # where it computes: auto, cpu, cuda, cuda:N or mps
    device: str = "auto"
    # show no progress
    quiet: bool = False

    def __post_init__(self):
        for field in fields(self):
            object.__setattr__(self, field.name, _plain(getattr(self, field.name), field.name))
        self.check("percentile", between(0, 100), "a number between 0 and 100")
        self.check("pixel_percentile", between(0, 100), "a number between 0 and 100")
        self.check("seed", whole, "a whole number")
        resolve_device(self.device)

    def __getitem__(self, name: str) -> object:
        """A setting by its name."""
        return getattr(self, name)

    def check(self, name: str, valid: Callable[[object], bool], expected: str) -> None:
        """One rule of ``__post_init__``.

        Args:
            name: of the setting.
            valid: tells whether a value will do.
            expected: what it must be, in words; the error says it.

        Raises:
            ValueError: if the value will not do.
        """
        value = getattr(self, name)
        if not valid(value):
            raise ValueError(f"{name} must be {expected}, got {value!r}")

    def check_choice(self, name: str, known: Iterable[str]) -> None:
        """The rule that a setting is one of several names; raises as ``check``, with the closest name.

        Args:
            name: of the setting.
            known: all names that would do.
        """
        known, value = list(known), getattr(self, name)
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}{did_you_mean(value, known)}")


def make_settings(owner: type, given: Mapping) -> Settings:
    """The settings of a class of detectors, from keyword arguments.

    Args:
        owner: the class; its ``settings_class`` says which settings there are.
        given: name → value.

    Raises:
        TypeError: if a name is unknown; the error lists the known ones and the closest.
        ValueError: if a value is no literal, or out of its range.
    """
    known = setting_names(owner.settings_class)
    if unknown := [name for name in given if name not in known]:
        raise TypeError(unknown_settings(unknown, known, owner.__name__))
    return owner.settings_class(**given)


def setting_names(settings_class: type[Settings]) -> list[str]:
    """Names of all settings of a class, its own first, those that all methods share last.

    Args:
        settings_class: :class:`Settings`, or a dataclass made from it.

    Example:
        >>> setting_names(Settings)
        ['percentile', 'pixel_percentile', 'seed', 'device', 'quiet']
    """
    own_first = dict.fromkeys(name for base in settings_class.__mro__ for name in inspect.get_annotations(base))
    known = {field.name for field in fields(settings_class)}
    return [name for name in own_first if name in known]


def signature_of(settings_class: type[Settings]) -> inspect.Signature:
    """The settings of a class as keyword arguments with their defaults, for ``help()`` and tooltips.

    Args:
        settings_class: :class:`Settings`, or a dataclass made from it.
    """
    of_fields = inspect.signature(settings_class).parameters
    return inspect.Signature([of_fields[name] for name in setting_names(settings_class)])


def takes_settings_only(owner: type) -> bool:
    """Whether the constructor of a class is ``__init__(self, **settings)``.

    Args:
        owner: a class of detectors.
    """
    _, *others = inspect.signature(owner.__init__).parameters.values()
    return [parameter.kind for parameter in others] == [inspect.Parameter.VAR_KEYWORD]


def unknown_settings(unknown: Collection[str], known: Collection[str], owner: str) -> str:
    """What to say of settings that nobody knows.

    Args:
        unknown: the names.
        known: all names that would do.
        owner: whose settings they are.

    Example:
        >>> unknown_settings(["widht"], ["depth", "width"], "AutoencoderDetector")
        "unknown setting 'widht' for AutoencoderDetector; did you mean 'width'? known: depth, width"
    """
    hints = "".join(did_you_mean(name, known) for name in unknown)
    return (
        f"unknown setting {', '.join(map(repr, unknown))} for {owner}{hints or ';'} known: {', '.join(sorted(known))}"
    )


def did_you_mean(name: object, known: Collection[str]) -> str:
    """A question that names the closest of the known names; empty where none is close.

    Args:
        name: what was asked for, of any type.
        known: all names that would do.

    Example:
        >>> did_you_mean("conact", ["add", "concat"])
        "; did you mean 'concat'?"
    """
    closest = difflib.get_close_matches(name, known, n=1) if isinstance(name, str) else []
    return f"; did you mean {closest[0]!r}?" if closest else ""


# -- what a value may be ---------------------------------------------------------------------------------------------


def number(value: object) -> bool:
    """True of a finite number."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def at_least_zero(value: object) -> bool:
    """True of 0 and of a finite positive number."""
    return number(value) and value >= 0


def above_zero(value: object) -> bool:
    """True of a finite positive number."""
    return number(value) and value > 0


def between(low: float, high: float) -> Callable[[object], bool]:
    """True of a number between two others, neither of them included."""
    return lambda value: number(value) and low < value < high


def whole(value: object) -> bool:
    """True of a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def count(value: object) -> bool:
    """True of a whole number of at least 1."""
    return whole(value) and value > 0


def _plain(value: object, name: str) -> object:
    """A copy of a literal as JSON gives it back: tuples as lists, keys as text, numbers of Python's own types."""
    if value is None:
        return None
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(entry, name) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, name) for entry in value]
    raise ValueError(
        f"settings are saved as JSON and must be plain numbers, texts or lists, and {name} holds a "
        f"{type(value).__name__}, {value!r}"
    )
