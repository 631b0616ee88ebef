"""The process that one notebook runs in: ``python -m adkit.batch.execute < order.json``, started by ``notebook``.

The order says which notebook, where to write, with which parameters. The answer is the exit status; what went wrong is
the last line on standard error. If the process that started this one dies, so does this one, with its kernel.
"""

import json
import os
import sys
import warnings

from adkit.batch.processes import die_with

FINE, CELL_FAILED, KERNEL_DIED = 0, 1, 3


def main() -> int:
    """Execute the notebook that standard input orders."""
    order = json.load(sys.stdin)
    die_with(os.getppid())
    warnings.simplefilter("ignore")  # of packages, which nobody can mend here
    from nbclient.exceptions import DeadKernelError
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    try:
        execute_notebook(
            order["notebook"],
            order["out"],
            order["parameters"],
            kernel_name=order["kernel"],
            cwd=order["cwd"],
            start_timeout=order["start_timeout"],
            progress_bar=False,
            log_output=False,
        )
    except PapermillExecutionError as error:
        print(f"{error.ename} in cell {error.exec_count}: {_one_line(error.evalue)}", file=sys.stderr)
        return CELL_FAILED
    except DeadKernelError as error:
        print(f"the kernel died: {_one_line(error)}", file=sys.stderr)
        return KERNEL_DIED
    except RuntimeError as error:
        if "kernel" not in str(error).lower():
            raise
        print(f"the kernel did not start: {_one_line(error)}", file=sys.stderr)
        return KERNEL_DIED
    return FINE


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:500]


if __name__ == "__main__":
    sys.exit(main())
