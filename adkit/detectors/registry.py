"""Methods by name: those of adkit, and a learner's own, which join by :func:`register`.

A name here is what ``Experiment(method=…)``, ``compare``, ``load_detector`` and ``diagnose`` know a method by. Those of
adkit are named by the module that defines them, so that nothing is imported before somebody asks for it.

A method of your own, whole:

>>> import torch
>>> from adkit.detectors.base import Detector
>>> @register("brightness")
... class BrightnessDetector(Detector):
...     def _fit(self, train, validation):
...         self.mean = torch.stack([train[i]["image"].mean() for i in range(len(train))]).mean()
...     def _anomaly_map(self, images):
...         return (images - self.mean.to(images)).abs().mean(dim=1)
...     def _tensors(self):
...         return {"mean": self.mean}
...     def _restore(self, tensors):
...         self.mean = tensors["mean"]
>>> known_methods()[:5], known_methods()[-1]
(['autoencoder', 'latent', 'vae', 'patchcore', 'draem'], 'brightness')
>>> unregister("brightness")
"""

import importlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from adkit.detectors.settings import did_you_mean
from adkit.runtime.provenance import content_hash, find_source

if TYPE_CHECKING:
    from adkit.detectors.base import Detector

# name → module and class
BUILT_IN = {
    "autoencoder": ("adkit.detectors.autoencoder", "AutoencoderDetector"),
    "latent": ("adkit.detectors.latent", "LatentDetector"),
    "vae": ("adkit.detectors.vae", "VAEDetector"),
    "patchcore": ("adkit.detectors.patchcore", "PatchCoreDetector"),
    "draem": ("adkit.detectors.draem", "DRAEMDetector"),
    "filterbank": ("adkit.detectors.filterbank", "FilterBankDetector"),
    "fusion": ("adkit.detectors.fusion", "FusionDetector"),
}
_own: dict[str, type["Detector"]] = {}


def register(name: str) -> Callable[[type["Detector"]], type["Detector"]]:
    """A class decorator that gives a method of your own a name.

    Running the same cell again, with the class edited, puts the new class in the place of the old one.

    Args:
        name: of letters, digits, ``_`` and ``-``; not one of adkit's own.

    Raises:
        TypeError: if what is decorated is no class of detectors.
        ValueError: if the name is taken by a method of adkit, or the class's name by another method: a saved detector
            is found by the name of its class.
    """
    if not name.replace("-", "_").isidentifier():
        raise ValueError(f"a method's name must consist of letters, digits, _ and -, got {name!r}")
    if name in BUILT_IN:
        raise ValueError(f"{name!r} is a method of adkit; choose another name, such as 'my-{name}'")

    def decorate(cls: type["Detector"]) -> type["Detector"]:
        from adkit.detectors.base import Detector

        if not (isinstance(cls, type) and issubclass(cls, Detector)):
            raise TypeError(f"@register({name!r}) belongs above a class of detectors, got {cls!r}")
        others = {method: class_name for method, class_name in _class_names().items() if method != name}
        if cls.__name__ in others.values():
            raise ValueError(f"another method has a class {cls.__name__}; give this class a name of its own")
        _own[name] = cls
        return cls

    return decorate


def unregister(name: str) -> None:
    """Forget a method of your own.

    Args:
        name: that it was registered under; nothing happens where there is none.
    """
    _own.pop(name, None)


def known_methods() -> list[str]:
    """Names of all methods: adkit's, then your own in the order in which they joined."""
    return [*BUILT_IN, *_own]


def detector_class(name: str) -> type["Detector"]:
    """The class behind a method; it is imported now.

    Args:
        name: of the method, such as ``vae``, or of its class, such as ``VAEDetector``.

    Raises:
        ValueError: if there is none; the error lists the known names.

    Example:
        >>> detector_class("vae") is detector_class("VAEDetector")
        True
    """
    by_class = {class_name: method for method, class_name in _class_names().items()}
    method = by_class.get(name, name)
    if method in _own:
        return _own[method]
    if method not in BUILT_IN:
        raise ValueError(
            f"method must be one of {', '.join(known_methods())}, got {name!r}{did_you_mean(name, known_methods())}; "
            "a method of your own is known after its @register has run"
        )
    module, class_name = BUILT_IN[method]
    return getattr(importlib.import_module(module), class_name)


def method_name(cls: type["Detector"]) -> str:
    """The name under which a class is known.

    Args:
        cls: a class of detectors.

    Raises:
        ValueError: if it is not.

    Example:
        >>> method_name(detector_class("draem"))
        'draem'
    """
    for name in known_methods():
        if _class_names()[name] == cls.__name__ and detector_class(name) is cls:
            return name
    raise ValueError(f"{cls.__name__} is no registered method; put @register('a-name') above the class")


def is_own(cls: type) -> bool:
    """Whether a class is defined outside adkit.

    Args:
        cls: any class.
    """
    return find_source(cls.__module__) is None


def source_modules(cls: type["Detector"]) -> list[str]:
    """Names of the modules of adkit from which a class comes: its own, those of the classes it is made from, and those
    of all methods where it joins any of them.

    Args:
        cls: a class of detectors.

    Example:
        >>> source_modules(detector_class("draem"))[0]
        'adkit.detectors.draem'
    """
    own = [base.__module__ for base in cls.__mro__ if find_source(base.__module__)]
    others = [detector_class(name) for name, entry in BUILT_IN.items() if entry[1] != cls.__name__]
    members = [module for other in others for module in source_modules(other)] if cls.joins_methods else []
    return list(dict.fromkeys([*own, *members]))


def own_source(cls: type["Detector"]) -> str:
    """What the part of a method that lies outside adkit does, as a hash; empty for adkit's methods.

    Of a class in a file the whole file counts, so functions beside it do, too. Of a class in a notebook the class
    counts, with its settings and the classes it is made from: keep in the class what it needs, or write a file.

    Args:
        cls: a class of detectors.

    Raises:
        ValueError: if the source cannot be read (it was typed into a plain Python prompt, say): a result could then
            not be told from that of an edited class.
    """
    parts = [cls, *(_own.values() if cls.joins_methods else ())]
    classes = [part for one in parts for part in (one, one.settings_class)]
    own = [base for part in classes for base in part.__mro__ if is_own(base) and base is not object]
    own = [base for base in own if base.__module__ not in ("abc", "builtins")]
    return " ".join(sorted({content_hash(source) for base in own for source in _sources(base)}))


def _sources(cls: type) -> Iterator[str]:
    """The file of a class, else the class, else what is in it."""
    for readable in (sys.modules.get(cls.__module__), cls):
        try:
            yield inspect.getsource(readable)
            return
        except (OSError, TypeError):
            continue
    for name, value in vars(cls).items():
        function = inspect.unwrap(getattr(value, "fget", None) or getattr(value, "__func__", value))
        if isinstance(value, int | float | str | tuple) and not name.startswith("__"):
            yield f"{name} = {value!r}"
        # what a dataclass has made of its fields has no source, and the fields are settings, which count by themselves
        elif inspect.isfunction(function) and function.__code__.co_filename != "<string>":
            yield _source_of_function(function, cls)


def _source_of_function(function: Callable, cls: type) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except OSError as error:
        raise ValueError(
            f"the source of {cls.__name__}.{function.__name__} cannot be read ({error}), so a result of it could not "
            "be told from one of an edited version; define the class in a file or in a notebook cell"
        ) from error


def _class_names() -> dict[str, str]:
    """Method → name of its class."""
    return {name: entry[1] for name, entry in BUILT_IN.items()} | {name: cls.__name__ for name, cls in _own.items()}
