from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hand_ins import make_tar, refusal, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.intake.archives import newest, unpack
from grader.intake.hand_in import MAX_BYTES, MAX_FILES

ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes,
    ".tar.gz": gzip.compress,
    ".tar.bz2": bz2.compress,
    ".tar.xz": lzma.compress,
}


def member(name: str, size: int = 0, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    for key, value in more.items():
        setattr(info, key, value)
    return info


def tar_of(path: Path, *members: tarfile.TarInfo, form: int = tarfile.GNU_FORMAT) -> Path:
    """A tarball of headers, each followed by zeros."""
    with tarfile.open(path, "w", format=form) as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(bytes(info.size if info.isreg() else 0)))
    return path


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_come_out_as_they_went_in(tmp_path: Path, ending: str) -> None:
    files = {"hw3.py": b"print(1)\n", "töö/x y.csv": b"1,2\n" * 40_000, "a/b/c.py": b""}
    archive = make_tar(tmp_path / f"ann{ending}", dict(files))
    assert unpack(archive, tmp_path / "out") == []
    assert written(tmp_path / "out") == files


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_dialect(tmp_path: Path, form: int) -> None:
    name = "/".join(["a-long-folder"] * 9) + "/hw3.py"
    tar_of(tmp_path / "work.tar", member(name, 700), member("b.py", 3), form=form)
    unpack(tmp_path / "work.tar", tmp_path / "out")
    assert written(tmp_path / "out") == {name: bytes(700), "b.py": bytes(3)}


def test_a_tarball_called_zip_is_opened_all_the_same(tmp_path: Path) -> None:
    make_tar(tmp_path / "work.tar.gz", {"hw3.py": b"1"}).rename(tmp_path / "work.zip")
    unpack(tmp_path / "work.zip", tmp_path / "out")
    assert written(tmp_path / "out") == {"hw3.py": b"1"}


def test_junk_is_left_in_the_archive_and_told(tmp_path: Path) -> None:
    junk = {"hw/._hw3.py": b"x", "hw/env/bin/activate.py": b"x", "hw/.git/HEAD": b"x"}
    late = {"hw/env/lib/python3.11/site-packages/torch.py": b"x", "hw/env/x.py": b"x"}
    archive = make_tar(tmp_path / "ann.tgz", junk | {"hw/hw3.py": b"1"} | late)
    assert unpack(archive, tmp_path / "out") == [
        "hw/._hw3.py: a hidden file",
        "hw/env: a virtual environment",
        "hw/.git: version history",
    ]
    assert written(tmp_path / "out") == {"hw/hw3.py": b"1"}


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (member("../evil.py"), "wants to go outside its folder ('../evil.py')"),
        (member("a/../../evil.py"), "wants to go outside its folder"),
        (member("/etc/evil.py"), "wants to go outside its folder"),
        (member("..\\evil.py"), "wants to go outside its folder"),
        (member("c:evil.py"), "wants to go outside its folder"),
        (member("p", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "holds a link ('p')"),
        (member("p", type=tarfile.LNKTYPE, linkname="hw3.py"), "holds a link ('p')"),
        (member("p", type=tarfile.FIFOTYPE), "holds something that is no file ('p')"),
        (member("p", type=tarfile.CHRTYPE, devmajor=1, devminor=3), "is no file ('p')"),
        (member("p", type=tarfile.BLKTYPE), "holds something that is no file ('p')"),
    ],
)
def test_what_is_refused(tmp_path: Path, info: tarfile.TarInfo, said: str) -> None:
    archive = tar_of(tmp_path / "work.tar", member("hw3.py"), info)
    assert said in refusal(archive)
    assert written(tmp_path / "out") == {}
    assert not list(tmp_path.parent.glob("evil*"))


def test_a_link_in_junk_is_junk(tmp_path: Path) -> None:
    link = member("venv/bin/python", type=tarfile.SYMTYPE, linkname="/usr/bin/python3")
    marked = member("venv/pyvenv.cfg")
    archive = tar_of(tmp_path / "work.tar", link, marked, member("hw3.py"))
    assert unpack(archive, tmp_path / "out") == ["venv: a virtual environment"]


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("head", ["content", "long name", "pax"])
def test_bombs(tmp_path: Path, ending: str, head: str) -> None:
    """Where the zeros are a file's content, and where they are a name that tarfile would hold."""
    types = {"content": tarfile.REGTYPE, "long name": tarfile.GNUTYPE_LONGNAME, "pax": b"x"}
    info = member("0.bin", 2**31, type=types[head])
    size = 2**20 * (2 if ending == ".tar" else 90)
    archive = tmp_path / f"work{ending}"
    archive.write_bytes(PACKERS[ending](info.tobuf(tarfile.GNU_FORMAT) + bytes(size)))
    tracemalloc.start()
    start = time.perf_counter()
    said = refusal(archive)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any(
        text in said
        for text in ("unpacks to far more", "holds far too many files", "is a damaged tar")
    )
    assert time.perf_counter() - start < 10
    assert peak < 64 * 2**20
    assert sum(map(len, written(tmp_path / "out").values())) <= MAX_BYTES


def test_an_xz_that_asks_for_much_memory(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 768 * 2**20, "preset": 0}]
    content = make_tar(tmp_path / "work.tar", {"hw3.py": b"1"}).read_bytes()
    try:
        packed = lzma.compress(content, filters=filters)
    except MemoryError:
        pytest.skip("packing this takes more memory than there is")
    (tmp_path / "work.tar.xz").write_bytes(packed)
    assert "damaged tar archive (Memory usage limit" in refusal(tmp_path / "work.tar.xz")


def test_an_xz_of_several_streams_is_one(tmp_path: Path) -> None:
    content = make_tar(tmp_path / "work.tar", {"hw3.py": b"x" * 9999}).read_bytes()
    parts = [content[:5000], content[5000:]]
    (tmp_path / "work.tar.xz").write_bytes(b"".join(map(lzma.compress, parts)))
    unpack(tmp_path / "work.tar.xz", tmp_path / "out")
    assert written(tmp_path / "out") == {"hw3.py": b"x" * 9999}


def test_too_many_files(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar", *(member(f"{i}.txt") for i in range(MAX_FILES + 1)))
    assert refusal(archive).startswith(f"a.tar holds more than {MAX_FILES} files;")


def test_too_many_headers(tmp_path: Path) -> None:
    block = member("0.txt").tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "a.tar").write_bytes(block * 60_000)
    assert refusal(tmp_path / "a.tar").startswith("a.tar holds far too many files;")


@pytest.mark.parametrize("ending", PACKERS)
def test_cut_off(tmp_path: Path, ending: str) -> None:
    archive = make_tar(tmp_path / f"work{ending}", {"hw3.py": b"x" * 999, "b.py": b"y" * 99})
    whole = archive.read_bytes()
    if ending == ".tar":
        whole = whole[: 512 + 1024 + 512 + 512]  # what follows is the mark of the end
    for length in range(1, len(whole), 97):
        archive.write_bytes(whole[:length])
        with pytest.raises(SubmissionError, match=r"work\.tar"):
            unpack(archive, tmp_path / f"out{length}")


def test_what_is_no_tar(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"hello" * 300)
    assert refusal(tmp_path / "a.tar").startswith("a.tar is not a tar archive;")
    (tmp_path / "b.tgz").write_bytes(gzip.compress(b"hello" * 300))
    with pytest.raises(SubmissionError, match=r"b\.tgz is a damaged tar archive \("):
        unpack(tmp_path / "b.tgz", tmp_path / "other")


def test_a_zip_at_the_end_of_a_tar_does_not_make_it_one(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("evil.py", "1")
    make_tar(tmp_path / "a.tar", {"hw3.py": b"1", "in.zip": inner.getvalue()})
    unpack(tmp_path / "a.tar", tmp_path / "out")
    assert sorted(written(tmp_path / "out")) == ["hw3.py", "in.zip"]


def test_of_two_files_with_one_name_the_last_counts(tmp_path: Path) -> None:
    tar_of(tmp_path / "a.tar", member("a.py", 5), member("a.py", 7))
    unpack(tmp_path / "a.tar", tmp_path / "out")
    assert written(tmp_path / "out") == {"a.py": bytes(7)}


def test_times_are_kept(tmp_path: Path) -> None:
    tar_of(tmp_path / "a.tar", member("a.py", mtime=1_700_000_000), member("b.py", mtime=9))
    unpack(tmp_path / "a.tar", tmp_path / "out")
    assert (tmp_path / "out/a.py").stat().st_mtime == 1_700_000_000
    assert newest(tmp_path / "a.tar") == 1_700_000_000


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=8),
    ending=st.sampled_from(sorted(PACKERS)),
    inside=st.booleans(),
)
def test_a_mutated_tar_is_opened_or_refused_and_stays_inside(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[int, int]],
    ending: str,
    inside: bool,
) -> None:
    """Bytes are changed in the file, or in the headers before they are compressed."""
    folder = tmp_path_factory.mktemp("mutated")
    long = "/".join(["long"] * 30)
    files = {"hw3.py": b"x = 1\n" * 9, f"{long}/b.txt": b"b", "r.pdf": b"p" * 50}
    plain = bytearray(make_tar(folder / "plain.tar", files).read_bytes())
    (folder / "plain.tar").unlink()
    content = plain if inside else bytearray(PACKERS[ending](bytes(plain)))
    for place, value in changes:
        content[place % len(content)] = value
    packed = PACKERS[ending](_with_checksums(content)) if inside else bytes(content)
    archive = folder / f"work{ending}"
    archive.write_bytes(packed)
    try:
        unpack(archive, folder / "out")
    except SubmissionError as error:
        assert str(error).startswith("work.tar")  # noqa: PT017 - either way is right
    assert {path.name for path in folder.iterdir()} <= {archive.name, "out"}


def _with_checksums(content: bytearray) -> bytes:
    """So that tarfile looks at what was changed in headers."""
    for start in range(0, len(content), 512):
        block = content[start : start + 512]
        if block[257:262] == b"ustar":
            block[148:156] = b" " * 8
            content[start + 148 : start + 156] = b"%06o\0 " % sum(block)
    return bytes(content)


def with_size(size: bytes, name: str = "a.py") -> bytes:
    """The header of a file, with its size as it is given."""
    block = bytearray(member(name).tobuf(tarfile.GNU_FORMAT))
    block[124 : 124 + len(size)] = size
    return _with_checksums(block)


@pytest.mark.parametrize("size", [b"\xff" * 12, b"\xff" * 10 + b"\xfe\0"])
def test_less_than_nothing_is_not_all_there_is(tmp_path: Path, size: bytes) -> None:
    """`read(-1)` reads to the end, however far that is."""
    zeros = gzip.compress(bytes(2**24)) * 64
    (tmp_path / "a.tgz").write_bytes(gzip.compress(with_size(size) + bytes(1024)) + zeros)
    tracemalloc.start()
    assert "is a damaged tar archive (a size in it is wrong)" in refusal(tmp_path / "a.tgz")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def pax(kind: bytes, body: bytes) -> bytes:
    info = member("x", len(body), type=kind)
    return info.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % 512)


def records(count: int) -> bytes:
    return b"".join(b"12 %d=1\n" % n for n in range(10**5 + 1, 10**5 + 1 + count))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (pax(b"g", records(30_000)), "a size in it is wrong"),
        (pax(b"g", records(20_000)), "it says far too much of its files"),
        (pax(b"x", records(30_000)), "a size in it is wrong"),
        (pax(b"x", b"1" * 200_000), "a number in it is far too long"),
        (pax(b"g", b"") * 3_000, "its headers are about one another"),
    ],
)
def test_headers_that_make_work(tmp_path: Path, head: bytes, said: str) -> None:
    """tarfile copies what is said of all files for each, and searches in square time."""
    content = head + member("a/", type=tarfile.DIRTYPE).tobuf() * 20_000 + bytes(1024)
    (tmp_path / "a.tgz").write_bytes(gzip.compress(content))
    start = time.process_time()
    assert f"is a damaged tar archive ({said})" in refusal(tmp_path / "a.tgz")
    assert time.process_time() - start < 5


def test_what_is_said_of_all_files_by_honest_programs(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", pax_headers={"comment": "f" * 40}) as archive:
        archive.addfile(member("hw3.py", 3), io.BytesIO(b"x=1"))
    unpack(tmp_path / "a.tar", tmp_path / "out")
    assert written(tmp_path / "out") == {"hw3.py": b"x=1"}


def test_places_that_no_homework_has(tmp_path: Path) -> None:
    tar_of(tmp_path / "a.tar", member("a/" * 5000 + "b.py"))
    assert "more than 50 folders in one another" in refusal(tmp_path / "a.tar")
