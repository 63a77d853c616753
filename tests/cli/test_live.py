"""`serve` and `simulate`: a CSMS and stations over real sockets of the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from ocppcore import v16
from ocppcore.aio import CallClosed, CallTimedOut
from ocppcore.cli.live.clock import Clock
from ocppcore.cli.live.csms import Csms
from ocppcore.cli.live.station import Station16
from support.needs import need_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result


@pytest.fixture(autouse=True)
def _needs_websockets() -> None:
    need_module("websockets", "the library websockets")


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command `serve` in a process of its own, and the URL that it listens at."""
    command = [sys.executable, "-m", "ocppcore.cli", "serve", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r"ws://[0-9.]+:[0-9]+", line)
            assert found, line
            yield process, found[0]
        finally:
            process.kill()


def messages(text: str) -> dict[str, tuple[str, ...]]:
    """Action -> the cells of its row."""
    rows = (tuple(cell.strip() for cell in line.strip()[1:-1].split("│")) for line in text.splitlines() if "│" in line)
    return {action: tuple(cells) for action, *cells in rows}


def test_a_fleet_charges_at_a_csms_of_its_own(run: Callable[..., Result]) -> None:
    done = run("simulate", "--stations", 9, "--seconds", 3, "--speed", 600)
    assert done.exit_code == 0, done.output
    heard = messages(done.output)
    assert heard["BootNotification"][0] == "9"
    assert heard["OpenPeriodicEventStream"][0] == "3"  # those of 2.1
    for action in (
        "Heartbeat",
        "StatusNotification",
        "Authorize",
        "StartTransaction",
        "TransactionEvent",
        "MeterValues",
    ):
        assert int(heard[action][0].replace(",", "")) > 0
    assert int(heard["SetChargingProfile"][1]) > 0
    assert all(cells[2] == "" for cells in heard.values())  # nothing was refused
    assert re.search(r"9 stations in 3 s: [\d,]+ messages", done.output)


def test_a_fleet_charges_at_a_csms_elsewhere(run: Callable[..., Result]) -> None:
    with serving("--ocpp", "1.6", "--ocpp", "2.1") as (process, url):
        done = run("simulate", url, "--stations", 2, "--seconds", 1, "--ocpp", "2.1", "--ocpp", "1.6")
        assert done.exit_code == 0, done.output
        process.terminate()
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert messages(output)["BootNotification"][0] == "2"


def test_a_charge_that_is_asked_for_at_the_last_moment_does_not_keep_a_station_alive() -> None:
    class Silent:
        async def call(self, request: Any) -> Any:
            await asyncio.Event().wait()

    async def last_moment(rounds: int) -> None:
        station = Station16("CS1", Clock(1.0), Random(1))
        csms: Any = Silent()
        waiting = asyncio.create_task(station._charge_cars(csms))
        await asyncio.sleep(0)
        assert station.remote_start("TOKEN")
        for _ in range(rounds):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait((waiting,), timeout=0.5)
        assert waiting.cancelled()

    for rounds in range(5):
        asyncio.run(last_moment(rounds))


def test_a_csms_that_speaks_another_version_is_told(run: Callable[..., Result]) -> None:
    with serving("--ocpp", "1.6") as (_, url):
        done = run("simulate", url, "--stations", 1, "--seconds", 0.5, "--ocpp", "2.1")
    assert done.exit_code == 1
    assert "connection broke" in done.output


def test_a_csms_that_is_not_there_is_told(run: Callable[..., Result]) -> None:
    done = run("simulate", "ws://127.0.0.1:9", "--stations", 1, "--seconds", 0.5)
    assert done.exit_code == 1
    assert "1 connection broke: ConnectionRefusedError" in done.output


def test_a_port_in_use_is_told() -> None:
    with serving() as (_, url):
        port = url.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "-m", "ocppcore.cli", "serve", "--port", port],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert f"cannot listen at 127.0.0.1:{port}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("serve", "--port", 65536), "65536 is not in the range"),
        (("serve", "--port", -1), "-1 is not in the range"),
        (("serve", "--capacity", -1), "-1.0 is not in the range"),
        (("simulate", "http://127.0.0.1:9"), "write ws://HOST:PORT/PATH"),
        (("simulate", "nonsense"), "write ws://HOST:PORT/PATH"),
        (("simulate", "ws://127.0.0.1:65536"), "write ws://HOST:PORT/PATH"),
    ],
)
def test_an_address_that_is_none_is_wrong_usage(
    run: Callable[..., Result], arguments: tuple[object, ...], told: str
) -> None:
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    assert told in " ".join(done.output.split())


@pytest.mark.skipif(os.name == "nt", reason="signals end a process at once there")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_fleet_that_is_interrupted_leaves_in_good_order_and_reports(sign: signal.Signals) -> None:
    with serving("--ocpp", "2.1") as (csms, url):
        command = [sys.executable, "-m", "ocppcore.cli", "simulate", url, "--stations", "2", "--seconds", "60"]
        with subprocess.Popen(
            [*command, "--ocpp", "2.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as fleet:
            try:
                time.sleep(3.0)  # it boots, and charges
                fleet.send_signal(sign)
                output, errors = fleet.communicate(timeout=20)
            finally:
                fleet.kill()
        csms.terminate()
        heard, _ = csms.communicate(timeout=20)
    assert (fleet.returncode, errors) == (0, "")
    assert re.search(r"^2 stations in [\d.]+ s: ", output)
    assert messages(heard)["BootNotification"][0] == "2"


def test_a_station_that_leaves_has_refused_nothing() -> None:
    class Left:
        async def call(self, request: Any) -> Any:
            raise CallClosed("the station left")

    class Slow:
        async def call(self, request: Any) -> Any:
            raise CallTimedOut("no answer")

    csms = Csms()
    for endpoint, failed in ((Left(), 0), (Slow(), 1)):
        there: Any = endpoint
        assert asyncio.run(csms.ask(there, v16.ResetRequest(type="Soft"))) is None
        assert csms.failed["Reset"] == failed


def test_a_default_that_is_not_spoken_is_wrong_usage(run: Callable[..., Result]) -> None:
    done = run("serve", "--ocpp", "2.1", "--default", "1.6")
    assert done.exit_code != 0
    assert "--default 1.6 is none of the versions" in done.output


def test_without_websockets_the_extra_is_named(tmp_path: Any) -> None:
    (tmp_path / "websockets.py").write_text("raise ModuleNotFoundError('no', name='websockets')")
    done = subprocess.run(
        [sys.executable, "-m", "ocppcore.cli", "simulate", "--seconds", "0.5"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'ocppcore[websockets]'" in done.stderr
