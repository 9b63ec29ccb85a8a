"""Image Builder in each account and Region."""

import threading
from collections.abc import Callable
from typing import Any

from botocore.model import ServiceModel

from .emulated_service import EmulatedService


class Locations:
    """The emulated services by Region and account. Each is created when it is first used. Thread-safe."""

    def __init__(self, model: ServiceModel, partition_of: Callable[[str], str], clock: Callable[[], float]) -> None:
        """`partition_of` returns the partition of a Region; `clock` returns seconds since the epoch."""
        self._model = model
        self._partition_of = partition_of
        self._clock = clock
        self._lock = threading.Lock()
        self._read_lag = 0.0
        self._services: dict[tuple[str, str], EmulatedService] = {}

    def at(self, region: str, account: str) -> EmulatedService:
        """The service in a Region and account. Raises what `partition_of` raises for an unknown Region."""
        with self._lock:
            service = self._services.get((region, account))
            if service is None:
                prefix = f"arn:{self._partition_of(region)}:imagebuilder:{region}:{account}"
                service = self._services[region, account] = EmulatedService(self._model, prefix, self._clock)
                service.read_lag = self._read_lag
            return service

    def of(self, arn: str) -> EmulatedService:
        """The service in the Region and account of an ARN."""
        return self.at(*arn.split(":")[3:5])

    @property
    def configurations(self) -> dict[str, dict[str, Any]]:
        """A copy of all configurations by ARN, each as GetDistributionConfiguration returns it."""
        return {arn: each for service in self._all() for arn, each in service.configurations.items()}

    def forget_tokens(self) -> None:
        """Forget all client tokens."""
        for service in self._all():
            service.forget_tokens()

    def lag_reads(self, seconds: float) -> None:
        """Delay the effect of later writes on reads by this many seconds; 0 for no delay."""
        with self._lock:
            self._read_lag = seconds
        for service in self._all():
            service.read_lag = seconds

    def _all(self) -> list[EmulatedService]:
        with self._lock:
            return list(self._services.values())
