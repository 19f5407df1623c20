"""Tasks in processes of their own: what dies costs a try, what is left ends with the pool."""

import os
import signal
import time
from pathlib import Path

import pytest

from grader.errors import InternalError
from grader.grading.pool import Pool

AT_ONCE = (f"{__name__}:at_once",)


def at_once(serve):
    serve()


def square(number):
    return number * number


def own_process(_):
    return os.getpid(), os.getppid()


def die_once(mark):
    """Stands in for a judge that crashes: the first time where `mark` is new, always for ''."""
    if not mark:
        os._exit(9)
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "second try"


def fail(_):
    raise ValueError("as text on the terminal only")


def sleep_on(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(300)


def done(task, work, size=2):
    with Pool(size, within=AT_ONCE) as pool:
        return list(pool.results(task, work, lambda: None))


def wait_until(true):
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_every_piece_of_work_has_its_result():
    assert sorted(done(square, range(7), 3)) == [(n, n * n) for n in range(7)]


def test_each_has_a_process_of_its_own_from_one_warm_parent():
    pids, parents = zip(*(answer for _, answer in done(own_process, range(5))), strict=True)
    assert len(set(pids)) == 5
    assert len(set(parents)) == 1
    assert os.getpid() not in parents


def test_what_dies_is_tried_once_more_and_costs_nothing_else(tmp_path, capfd):
    work = ["", str(tmp_path / "mark")]
    assert sorted(done(die_once, work)) == [("", None), (work[1], "second try")]
    assert done(fail, [1]) == [(1, None)]
    assert "as text on the terminal only" in capfd.readouterr().err


def test_work_is_taken_when_it_is_begun():
    taken = []

    def work():
        for number in range(6):
            taken.append(number)
            yield number

    with Pool(2, within=AT_ONCE) as pool:
        for finished, _ in enumerate(pool.results(square, work(), lambda: None), start=1):
            assert len(taken) <= finished + 2


def test_a_warm_interpreter_that_was_ended_is_replaced():
    with Pool(1, within=AT_ONCE) as pool:
        answers = pool.results(own_process, range(3), lambda: None)
        _, (_, parent) = next(answers)
        wait_until(lambda: not os.kill(parent, signal.SIGKILL) and is_gone(parent))
        assert {other for _, (_, other) in answers} != {parent}


def test_one_that_cannot_start_is_our_fault(capfd):
    pool = Pool(1, within=("nowhere:x",))
    with pytest.raises(InternalError, match="did not start"), pool:
        list(pool.results(square, [1], lambda: None))


def test_leaving_ends_what_is_still_running(tmp_path):
    names = [tmp_path / "a", tmp_path / "b"]
    with Pool(2, within=AT_ONCE) as pool:
        looks = 0

        def look():
            nonlocal looks
            looks += 1
            if all(name.exists() and name.read_text() for name in names):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(pool.results(sleep_on, map(str, names), look))
        assert sorted(pool.doing) == sorted(map(str, names))
    for name in names:
        assert is_gone(int(name.read_text()))
