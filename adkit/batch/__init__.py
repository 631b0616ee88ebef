"""Many jobs through any ``concurrent.futures.Executor``: the cores of this machine, a Dask cluster, several GPUs.

``jobs`` says what a job is, ``runner`` runs them and loses none, ``executors`` opens what they run on, ``leases`` lends
GPUs. None of these knows what a job does. One kind of job is here: ``notebook``, a papermill run in a process of its
own, listed by a ``plan``.

>>> from adkit.batch import open_executor, run_jobs
>>> with open_executor("local:4") as executor:  # doctest: +SKIP
...     done = run_jobs(jobs, executor)
"""

from adkit.runtime.lazy import lazy_exports

_HOMES = {
    "Done": "adkit.batch.jobs",
    "Job": "adkit.batch.jobs",
    "NotebookJob": "adkit.batch.notebook",
    "Outcome": "adkit.batch.jobs",
    "load_plan": "adkit.batch.plan",
    "open_executor": "adkit.batch.executors",
    "run_jobs": "adkit.batch.runner",
    "run_plan": "adkit.batch.batch_command",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
