"""Runs a program in several processes, as torchrun starts them, and notes what each does.

The ranks are forked from this process, which has imported torch and run nothing. What a rank does
it tells at once: of one that hangs, too, it is known how far it came and in which line it is.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.ranks import Ranks
from grader.sandbox.faults import InterfaceGap
from grader.sandbox.kernel.processes import descendants, processor_seconds, starved_seconds
from grader.sandbox.rank_process import Job, RankProcess
from grader.vgpu import runtime

QUIET = 4.0  # seconds in which no rank says or computes anything
ALONE = 2.0  # seconds for the others once one has failed; torchrun ends them, too
SHARE = 0.8  # of the processor time: the rest is for saying what was seen
_LOOK = 0.1  # seconds between two looks
_LOOK_CLOSELY = 0.5  # at what they compute
_IDLE = 0.03  # seconds of processor time, of all ranks between two such looks: as good as none


def run(folder: Path, file: Path, processes: int, seconds: float, job: Job) -> Ranks:
    """Do the `job` in so many processes, within so many `seconds` of their processor time.

    Raises InterfaceGap where they cannot talk here, or where a rank cannot be run, or not so soon.
    """
    port = _free_port()
    ranks: list[RankProcess] = []
    try:
        for number in range(processes):
            environment = _environment(number, processes, port)
            ranks.append(RankProcess.start(number, folder, environment, job))
        attending = _Attending(ranks, seconds)
        attending.until_end()
        living = [rank for rank in ranks if not rank.is_done()]
        asked = _ask_for_lines(living)
        if attending.exhausted and living and max(living, key=_computed).computes_for_torch(asked):
            raise InterfaceGap(f"its ranks take more than {seconds:g} s of computing here")
        words = {rank.number: rank.still(asked) for rank in living}
        silent = [rank for rank in ranks if rank.told is None and not rank.garbled]
        left = {rank.number: rank.left() for rank in silent if rank not in living}
    except OSError as error:
        raise InterfaceGap(f"{processes} processes cannot be started here ({error})") from error
    finally:
        for rank in ranks:
            rank.end()
    gaps = [rank.told["gap"] for rank in ranks if rank.told is not None and "gap" in rank.told]
    if gaps:
        raise InterfaceGap(gaps[0])
    gpus = runtime.settings().count
    return Ranks(
        str(file), gpus, [rank.program(file, gpus) for rank in ranks], words | left, attending.hung
    )


def _free_port() -> int:
    try:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            return int(found.getsockname()[1])
    except OSError as error:
        raise InterfaceGap(
            f"processes cannot talk to one another in this sandbox ({error}); it needs namespaces"
        ) from error


def _environment(rank: int, world: int, port: int) -> Mapping[str, str]:
    """As torchrun sets it on one machine."""
    names = ("RANK", "LOCAL_RANK", "ROLE_RANK")
    worlds = ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "ROLE_WORLD_SIZE")
    return {
        **dict.fromkeys(names, str(rank)),
        **dict.fromkeys(worlds, str(world)),
        "GROUP_RANK": "0",
        "GROUP_WORLD_SIZE": "1",
        "ROLE_NAME": "default",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
        "TORCHELASTIC_RUN_ID": "none",
        "TORCHELASTIC_RESTART_COUNT": "0",
        "TORCHELASTIC_MAX_RESTARTS": "0",
        "TORCHELASTIC_USE_AGENT_STORE": "False",
    }


def _ask_for_lines(ranks: Sequence[RankProcess]) -> float:
    """Have these ranks tell where they are; returns when they were asked."""
    for rank in ranks:
        rank.ask_for_line()
    return time.monotonic()


def _computed(rank: RankProcess) -> float:
    return processor_seconds([rank.pid])


class _Attending:
    """Hears ranks until all have ended, or until none goes on: then they are `hung`.

    `exhausted`: all of their processor time is used up.
    """

    def __init__(self, ranks: Sequence[RankProcess], seconds: float) -> None:
        self.ranks = ranks
        self.seconds = seconds
        self.hung = self.exhausted = False
        self._failed_at: float | None = None
        self._looked = self._busy = time.monotonic()  # the last time that one did something
        self._heard = False
        self._computed = self._starved = 0.0

    def until_end(self) -> None:
        with selectors.DefaultSelector() as pipes:
            for rank in self.ranks:
                pipes.register(rank.pipe, selectors.EVENT_READ, rank)
            while self._living() and not self._is_over():
                if not pipes.get_map():
                    time.sleep(_LOOK)
                for key, _ in pipes.select(_LOOK):
                    self._heard = True
                    if not key.data.hear():
                        pipes.unregister(key.fd)

    def _living(self) -> list[RankProcess]:
        return [rank for rank in self.ranks if not rank.is_done()]

    def _is_over(self) -> bool:
        now = time.monotonic()
        if self._failed_at is None and any(map(_failed, self.ranks)):
            self._failed_at = now
        if self._failed_at is not None:
            return now > self._failed_at + ALONE
        if now >= self._looked + _LOOK_CLOSELY:
            self._looked = now
            self.hung = self._is_hung(now)
        return self.hung

    def _is_hung(self, now: float) -> bool:
        """Whether they compute without end, or nothing at all, though a processor is free."""
        pids = descendants(os.getpid())
        computed, starved = processor_seconds(pids), starved_seconds(pids)
        if self._heard or computed > self._computed + _IDLE:
            self._busy, self._starved = now, starved
        self._heard, self._computed = False, computed
        self.exhausted = computed > self.seconds * SHARE
        return self.exhausted or now - self._busy - (starved - self._starved) > QUIET


def _failed(rank: RankProcess) -> bool:
    """Whether a rank ended otherwise than by the end of its program, or wrote what it must not."""
    if rank.told is not None:
        return "gap" in rank.told or rank.told["program"].problem is not None
    return rank.status is not None or rank.garbled
