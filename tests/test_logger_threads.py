"""The logger is created once, whichever threads need it first."""

import subprocess
import sys

CREATE = """
import threading, time
from provider import observability

created, original = [], observability.Logger

def create(**settings):
    created.append(settings)
    time.sleep(0.05)  # the other threads arrive meanwhile
    return original(**settings)

observability.Logger = create
threads = [threading.Thread(target=observability.logger) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(created))
"""


def test_threads_share_one_logger() -> None:
    """Of threads that need the logger at the same time, one creates it."""
    ran = subprocess.run([sys.executable, "-c", CREATE], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("1\n", "")
