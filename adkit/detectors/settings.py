"""What a detector can be told: frozen dataclasses of plain values, checked when they are made.

Each method keeps its own settings beside its class, one field a line under a comment that says what it is. What methods
share stands here, once. Settings are literals only, so that they go to JSON and come back equal.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields

from adkit.runtime import resolve_device
from adkit.runtime.values import (
    above_zero,
    at_least_zero,
    between,
    count,
    did_you_mean,
    flag,
    number,
    plain,
    seed,
    whole,
)
from adkit.scoring.image_scores import SCORE_METHODS

# what a method's own settings are checked with
__all__ = [
    "Settings", "above_zero", "at_least_zero", "between", "count", "did_you_mean", "flag", "make_settings", "number",
    "setting_names", "signature_of", "takes_settings_only", "unknown_settings", "whole",
]  # fmt: skip


# a greater value is a slip of the hand, and would end in want of memory
MOST = {"batch_size": 2**16, "crop": 2**16, "depth": 12, "latent": 2**16, "smoothing": 256, "surroundings": 4096}
# settings of a run, which say nothing of the method
OF_A_RUN = ("seed", "device", "quiet")


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

    # what score may be
    scores = tuple(SCORE_METHODS)

    # percentile, between 0 and 100, of the validation normals' image scores: the image threshold
    percentile: float = 95.0
    # percentile, between 0 and 100, of the validation normals' pixels: the threshold of the mask
    pixel_percentile: float = 99.5
    # how a map becomes one number: max, mean, topk, peak or top_peak, see adkit.scoring.image_score
    score: str = "max"
    # pixels at the border of an image, and of its foreground, that do not score, though the map shows them
    border: int = 0
    # divide the map by its own level around each place, under a Gaussian of this standard deviation in pixels, so that
    # an image which is unusual everywhere is no defect. Several times the size of the defects; 0: the map as it is
    surroundings: float = 0.0
    # whole number; another seed draws other random numbers wherever the method draws any
    seed: int = 0
    # where it computes: auto, cpu, cuda, cuda:N or mps
    device: str = "auto"
    # show no progress
    quiet: bool = False

    def __post_init__(self):
        for field in fields(self):
            object.__setattr__(self, field.name, plain(getattr(self, field.name), field.name))
        for name in ("percentile", "pixel_percentile"):
            self.check(name, between(0, 100), "a number between 0 and 100")
            if (value := getattr(self, name)) < 1:
                raise ValueError(
                    f"{name} must be a number between 0 and 100, got {value!r}; did you mean {100 * value:g}?"
                )
        self.check_choice("score", self.scores)
        self.check("border", lambda value: whole(value) and value >= 0, "a whole number of pixels, at least 0")
        self.check("surroundings", at_least_zero, "0 or a positive number of pixels")
        self.check("seed", seed, "a whole number of 64 bits")
        for name, most in MOST.items():
            if number(value := getattr(self, name, None)) and value > most:
                raise ValueError(f"{name} must be at most {most}, got {value!r}")
        self.check("device", lambda value: isinstance(value, str), "auto, cpu, cuda, cuda:N or mps")
        resolve_device(self.device)
        for field in fields(self):
            if field.type in (bool, "bool"):
                self.check(field.name, flag, "True or False")

    def __getitem__(self, name: str) -> object:
        """A setting by its name."""
        return getattr(self, name)

    def chosen(self) -> dict[str, object]:
        """The settings that differ from their defaults, without those of a run: seed, device, quiet."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        usual = vars(type(self)())
        return {name: value for name, value in given.items() if value != usual[name] and name not in OF_A_RUN}

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
        ['percentile', 'pixel_percentile', 'score', 'border', 'surroundings', 'seed', 'device', 'quiet']
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
