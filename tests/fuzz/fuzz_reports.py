"""Reads reports that were damaged at random: a reader must end with an answer, and soon.

    python tests/fuzz/fuzz_reports.py 20000

Each batch is read by a process with the limits of the sandbox's; one that dies or hangs is told
with the number of its input, which `--only NUMBER` makes and reads again. The same seed makes
the same inputs.
"""

from __future__ import annotations

import argparse
import io
import json
import queue
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reportlab.pdfgen import canvas

HERE = Path(__file__).parent
REPORTS = HERE.parent / "intake" / "reports"
MEMORY = 1 << 30  # as in grader/sandbox/reader.py
HANGS = 20.0  # seconds without a word
BATCH = 250


@dataclass
class Result:
    """What became of the inputs; crashes and hangs by number."""

    inputs: int = 0
    read: int = 0
    refused: int = 0
    crashes: dict[int, str] = field(default_factory=dict)
    hangs: list[int] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)  # seconds, and the number of the input
    memory: int = 0  # bytes


# ---------------------------------------------------------------------- inputs


def seeds() -> list[tuple[str, bytes]]:
    """Whole reports: those of the tests, and two whose insides are not compressed."""
    files = sorted(p for p in REPORTS.iterdir() if p.suffix not in (".py", ".tex"))
    found = [(path.suffix, path.read_bytes()) for path in files]
    return [*found, *[(".pdf", _plain_pdf())] * 6]


def _plain_pdf() -> bytes:
    into = io.BytesIO()
    sheet = canvas.Canvas(into, pageCompression=0, invariant=1)
    for page in range(2):
        sheet.drawString(72, 800, f"Task {page + 1}")
        sheet.grid([72, 150, 250], [700, 720, 740, 760])
        for row in range(3):
            sheet.drawString(80, 745 - 20 * row, f"{6 * row}")
            sheet.drawString(160, 745 - 20 * row, f"{8.1 * row} ms")
        sheet.drawString(72, 600, "Answer: the layers run one after another.")
        sheet.showPage()
    sheet.save()
    return into.getvalue()


def damaged(number: int, seed: int, whole: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Input `number`: one of the reports, damaged."""
    chance = random.Random(f"{seed} {number}")
    ending, content = chance.choice(whole)
    if ending == ".docx" and chance.random() < 0.9:
        return ending, _damaged_zip(chance, content)
    other = chance.choice(whole)[1]
    return ending, _damaged(chance, content, other)


def _damaged_zip(chance: random.Random, content: bytes) -> bytes:
    """Damage within the parts, so that the zip itself stays whole."""
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(into, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name.startswith("word/") and chance.random() < 0.5:
                part = _damaged(chance, part, part)
            target.writestr(name, part)
    return into.getvalue()


def _damaged(chance: random.Random, content: bytes, other: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(data)) if data else 0
        length = min(chance.choice((1, 4, 30, 300, 5000)), len(data) - at)
        chance.choice(_WAYS)(chance, data, at, length, other)
    return bytes(data[: 1 << 22])


def _flip(chance: random.Random, data: bytearray, at: int, length: int, _: bytes) -> None:
    for n in range(at, at + min(length, 8)):
        data[n] = chance.randrange(256)


def _cut(_: random.Random, data: bytearray, at: int, length: int, __: bytes) -> None:
    del data[at : at + length]


def _end(_: random.Random, data: bytearray, at: int, __: int, ___: bytes) -> None:
    if at > len(data) // 2:
        del data[at:]


def _repeat(chance: random.Random, data: bytearray, at: int, length: int, _: bytes) -> None:
    data[at:at] = data[at : at + length] * chance.choice((1, 3, 200))


def _splice(chance: random.Random, data: bytearray, at: int, length: int, other: bytes) -> None:
    start = chance.randrange(len(other)) if other else 0
    data[at : at + length] = other[start : start + length]


def _token(chance: random.Random, data: bytearray, at: int, _: int, __: bytes) -> None:
    data[at:at] = chance.choice(_TOKENS) * chance.choice((1, 1, 2, 3000))


def _number(chance: random.Random, data: bytearray, at: int, _: int, __: bytes) -> None:
    """Replace the next number by another: sizes, offsets and references become wrong."""
    start = next((n for n in range(at, len(data)) if 48 <= data[n] < 58), None)
    if start is not None:
        end = next((n for n in range(start, len(data)) if not 48 <= data[n] < 58), len(data))
        data[start:end] = chance.choice((b"0", b"-1", b"65536", b"4294967295", b"9" * 30, b"3"))


_Way = Callable[[random.Random, bytearray, int, int, bytes], None]
_WAYS: tuple[_Way, ...] = (_flip, _cut, _end, _repeat, _splice, _token, _number, _number)
_TOKENS = (
    *(b"<td>", b"<table>", b"</w:p>", b"<w:tbl>", b"<w:p>", b"<w:tc>", b"<ol><li>", b"&#65;"),
    *(b"| a ", b"```\n", b"[", b"{", b'"cells":', b"\n", b"(", b"BT ", b" Tj ", b" re ", b" Do "),
    *(b"1e999 ", b"\x00", b"\xff\xfe", "ﬁ\u202e".encode(), b"1 0 R ", b"endobj ", b"<< /Kids ["),
)  # fmt: skip


# ---------------------------------------------------------------------- reading


def child(seed: int, first: int, count: int) -> None:
    """Read a batch; says each number before, and what came of it after."""
    from grader.intake import find_passage, tables_in
    from grader.intake.report_reader import read
    from grader.records import Report

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    whole = seeds()
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(first, first + count):
            ending, content = damaged(number, seed, whole)
            path = Path(scratch) / f"report{ending}"
            path.write_bytes(content)
            print(json.dumps({"reading": number}), flush=True)
            start = time.perf_counter()
            answer = read(path)
            json.dumps(answer)
            if not answer or answer.keys() - {"pages", "to_see", "problem"}:
                raise ValueError(f"unexpected answer: {answer.keys()}")
            report = Report("r", tuple(answer.get("pages", ())))
            for where in (["Task 1", "Q1"], ["Task 2", "Table"], ["Task 5", "Answer"]):
                passage = find_passage(report, where)
                tables_in(passage.text if passage else report.text)
            said = {"read": bool(report.pages), "seconds": time.perf_counter() - start}
            said["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            print(json.dumps(said), flush=True)


def fuzz(count: int, seed: int = 0, first: int = 0, show: bool = False) -> Result:
    """Read `count` damaged reports in batches."""
    result = Result()
    at, end = first, first + count
    while at < end:
        at = _batch(result, seed, at, min(BATCH, end - at))
        if show:
            print(f"{at - first}: {summary(result)}", flush=True)
    return result


def _batch(result: Result, seed: int, first: int, count: int) -> int:
    """Returns the number to go on with: after a crash or a hang, the one behind it."""
    command = [sys.executable, __file__, str(count), "--seed", str(seed), "--child", str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    reading = first
    try:
        for line in _lines(process):
            said = json.loads(line)
            if "reading" in said:
                reading = said["reading"]
                result.inputs += 1
                continue
            result.read += said["read"]
            result.refused += not said["read"]
            result.slowest = max(result.slowest, (said["seconds"], reading))
            result.memory = max(result.memory, said["memory"])
    except queue.Empty:
        process.kill()
        result.hangs.append(reading)
        return reading + 1
    finally:
        _, errors = process.communicate()
    if process.returncode != 0:
        last = errors.strip().splitlines()[-1:] or ["no word"]
        result.crashes[reading] = f"status {process.returncode}: {last[0][:200]}"
        return reading + 1
    return first + count


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """What a process says; queue.Empty where it says nothing for too long."""
    said: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.put(line)
        said.put(None)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    while (line := said.get(timeout=HANGS)) is not None:
        yield line
    thread.join()


def summary(result: Result) -> str:
    return (
        f"{result.inputs} inputs, {result.read} read, {result.refused} refused, "
        f"{len(result.crashes)} crashes, {len(result.hangs)} hangs, "
        f"slowest {result.slowest[0]:.1f} s (input {result.slowest[1]}), "
        f"peak {result.memory >> 20} MiB"
    )


def main() -> None:
    """Read as many as asked for; the exit status tells whether all ended well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--only", type=int, help="read this input alone, in this process")
    options = parser.parse_args()
    if options.child is not None or options.only is not None:
        first = options.child if options.child is not None else options.only
        child(options.seed, first, options.count if options.only is None else 1)
        return
    result = fuzz(options.count, options.seed, show=True)
    for number, why in result.crashes.items():
        print(f"crash on {number}: {why}")
    for number in result.hangs:
        print(f"hang on {number}")
    sys.exit(bool(result.crashes or result.hangs))


if __name__ == "__main__":
    main()
