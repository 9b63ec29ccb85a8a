"""Cold starts under Lambda's runtime client: the init phase and the first invocation, separately."""

from pathlib import Path

from benchmarks import scene
from benchmarks.measure import Runner
from benchmarks.stubs import Stubs
from benchmarks.variants import Variant
from e2e.function import Function, Package


def start(
    runner: Runner, stubs: Stubs, variant: Variant, artifact: Path, client: Path, folder: Path
) -> tuple[float, float]:
    """Return the seconds of the init phase, and from passing the event to the last byte of the response.

    `client` is the folder with the runtime client. `folder` is created.
    """
    (event,) = scene.events(runner.bucket, 1)
    stubs.begin(scene.live(event), 0)
    with Function(Package(artifact, variant.handler, client), folder, runner.servers) as function:
        invocation = function.invoke(event)
        seen = stubs.seen()
        scene.check(seen, [event], variant.calls, responds=True)
        return function.init_seconds, seen.responses[0][0] - invocation.begun_at
