"""What everything stands on: the environment of a run, its progress line, folders on disk, the sources behind it."""

from adkit.runtime.environment import PRECISIONS as PRECISIONS
from adkit.runtime.environment import atomic_path as atomic_path
from adkit.runtime.environment import fast_mode as fast_mode
from adkit.runtime.environment import generator as generator
from adkit.runtime.environment import home as home
from adkit.runtime.environment import interactive_mode as interactive_mode
from adkit.runtime.environment import resolve_device as resolve_device
from adkit.runtime.environment import resolve_precision as resolve_precision
from adkit.runtime.environment import seed_everything as seed_everything
