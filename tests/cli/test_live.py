"""What commands share that read the live service."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from provider.cli.live import live_service
from provider.emulator.emulator import Emulator
from provider.plan import ByName
from tests.stack import ami

ACCOUNTS = ("111111111111", "222222222222")
REGIONS = ("us-east-1", "eu-west-1")


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile with a key and a Region for each account."""
    pairs = zip(ACCOUNTS, REGIONS, strict=True)
    (tmp_path / "config").write_text(
        "".join(
            f"[profile {account}]\nregion = {region}\naws_access_key_id = AKID{account}\naws_secret_access_key = x\n"
            for account, region in pairs
        )
    )
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.mark.usefixtures("profiles")
def test_commands_in_threads() -> None:
    """Commands in threads use their own profile, Region, and endpoint, and do not change the environment."""
    before, barrier = dict(os.environ), Barrier(len(ACCOUNTS), timeout=30)

    def read(emulator: Emulator, account: str, region: str) -> None:
        barrier.wait()
        with live_service(None, account, emulator.url, None) as live:
            barrier.wait()
            assert dict(os.environ) == before
            assert live.location.region == region
            assert live.at().read(ByName("images")) is not None
            barrier.wait()

    with (
        Emulator(REGIONS[0]) as one,
        Emulator(REGIONS[1]) as other,
        ThreadPoolExecutor(2) as pool,
    ):
        emulators = (one, other)
        for emulator in emulators:
            emulator.seed(name="images", distributions=[ami(REGIONS[0])])
        for done in [pool.submit(read, *each) for each in zip(emulators, ACCOUNTS, REGIONS, strict=True)]:
            done.result()
    for emulator, account, region in zip(emulators, ACCOUNTS, REGIONS, strict=True):
        assert {(one.access_key, one.region) for one in emulator.requests} == {(f"AKID{account}", region)}
