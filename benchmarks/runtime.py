"""Cold starts under Lambda's own runtime client: the init phase and the first invocation apart."""

from pathlib import Path

from benchmarks import scene
from benchmarks.measure import Laboratory
from benchmarks.stubs import Stubs
from benchmarks.variants import Variant
from e2e.function import Function, Package


def start(
    laboratory: Laboratory, stubs: Stubs, variant: Variant, artifact: Path, client: Path, home: Path
) -> tuple[float, float]:
    """Return the seconds of the init phase, and from passing the event to the last byte of the response.

    `client` is the folder with the runtime client, `home` one that does not exist yet.
    """
    (event,) = scene.events(laboratory.bucket, 1)
    stubs.begin(scene.live(event), 0)
    with Function(Package(artifact, variant.handler, client), home, laboratory.servers) as function:
        invocation = function.invoke(event)
        seen = stubs.seen()
        scene.check(seen, [event], variant.calls, answers=True)
        return function.init_seconds, seen.answers[0][0] - invocation.begun_at
