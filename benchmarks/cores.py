"""Runs the measured process on one core and the servers on the others, so that neither delays the other. Linux only.

At most memory sizes, Lambda provides less than one core anyway.
"""

import os


def on_measured_core() -> tuple[str, ...]:
    """Return the command prefix that runs a process on the measured core."""
    return "taskset", "--cpu-list", str(_measured())


def use_other_cores() -> None:
    """Move this process to the other cores, if there are any."""
    others = os.sched_getaffinity(0) - {_measured()}
    if others:
        os.sched_setaffinity(0, others)


def _measured() -> int:
    return max(os.sched_getaffinity(0))
