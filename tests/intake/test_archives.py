from __future__ import annotations

import stat
import struct
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from hand_ins import make_zip, refusal, without_root, written
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.intake.archives import unpack
from grader.intake.budget import MAX_RATIO
from grader.intake.hand_in import MAX_FILES


def raw_zip(path: Path, entries: list[tuple[str, bytes, int, int]]) -> Path:
    """A zip whose headers promise what we like: (name, deflated bytes, size, flags)."""
    body, directory = bytearray(), bytearray()
    for name, packed, size, flags in entries:
        head = struct.pack(
            "<HHHHHLLLHH", 20, flags, 8, 0, 0x21, 0, len(packed), size, len(name.encode()), 0
        )
        directory += b"PK\1\2" + struct.pack("<H", 20) + head
        directory += struct.pack("<HHHLL", 0, 0, 0, 0, len(body)) + name.encode()
        body += b"PK\3\4" + head + name.encode() + packed
    count = len(entries)
    end = struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\5\6" + end)
    return path


def zeros(megabytes: int) -> bytes:
    """Deflated zeros, a thousandth of their size, without deflating them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = bytes(2**20)
    first = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (megabytes - 1) + packer.flush(zlib.Z_FINISH)


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    files = {"hw3.py": b"print(1)\n", "data/x y.csv": b"1,2\n", "a/b/c.py": b""}
    archive = make_zip(tmp_path / "ann.zip", dict(files))
    assert unpack(archive, tmp_path / "out") == []
    assert written(tmp_path / "out") == files


def test_junk_is_left_in_the_archive_and_told(tmp_path: Path) -> None:
    archive = make_zip(
        tmp_path / "ann.zip",
        {
            "hw/hw3.py": "1",
            "hw/.DS_Store": "x",
            "__MACOSX/hw/._hw3.py": "x",
            "__MACOSX/hw/._x.py": "x",
            "hw/__pycache__/hw3.cpython-311.pyc": "x",
            "hw/myenv/pyvenv.cfg": "x",
            "hw/myenv/lib/torch.py": "x",
        },
    )
    assert unpack(archive, tmp_path / "out") == [
        "hw/.DS_Store: data of macOS",
        "__MACOSX: data of macOS",
        "hw/__pycache__: compiled Python",
        "hw/myenv: a virtual environment",
    ]
    assert list(written(tmp_path / "out")) == ["hw/hw3.py"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "work.zip is empty; hand in the folder or a new zip"),
        (b"not at all", "work.zip is not a zip file; hand in the folder or a new zip"),
        (b"Rar!\x1a\7\0", "work.zip is a RAR archive, not a zip file;"),
        (b"%PDF-1.4", "work.zip is a PDF, not a zip file;"),
        (b"PK\3\4 cut off", "work.zip is a damaged zip file (its end is missing);"),
        (b"PK\5\6", "work.zip is a damaged zip file (its end is missing);"),
    ],
)
def test_what_is_no_zip(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "work.zip"
    path.write_bytes(content)
    assert refusal(path).startswith(line)


def test_a_wrong_byte_is_damage(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "work.zip", {"hw3.py": bytes(range(256)) * 9})
    content = bytearray(archive.read_bytes())
    content[60] ^= 0xFF
    archive.write_bytes(content)
    assert refusal(archive).startswith("work.zip is a damaged zip file (")


def test_a_zip_that_was_cut_off(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "work.zip", {"hw3.py": b"x" * 999, "b.py": b"y" * 99})
    whole = archive.read_bytes()
    for length in range(4, len(whole), 7):
        archive.write_bytes(whole[:length])
        with pytest.raises(SubmissionError, match="damaged zip"):
            unpack(archive, tmp_path / f"out{length}")


def test_a_password(tmp_path: Path) -> None:
    archive = raw_zip(tmp_path / "work.zip", [("hw3.py", bytes(20), 8, 1)])
    assert refusal(archive) == "work.zip is locked with a password; hand in a zip without one"


def test_a_method_whose_memory_the_archive_decides(tmp_path: Path) -> None:
    path = tmp_path / "work.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("hw3.py", "x = 1\n" * 50)
    assert refusal(path).startswith("work.zip is packed with an unusual method;")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "a/../../evil.py",
        "..",
        "/etc/evil.py",
        "\\evil.py",
        "..\\evil.py",
        "C:\\evil.py",
        "c:evil.py",
        "//host/evil.py",
    ],
)
def test_paths_outside_are_refused(tmp_path: Path, name: str) -> None:
    archive = make_zip(tmp_path / "work.zip", {"hw3.py": "1", name: "evil"})
    line = refusal(archive)
    assert line.startswith("work.zip holds a file that wants to go outside its folder (")
    assert written(tmp_path / "out") == {}
    assert not list(tmp_path.parent.glob("evil*"))


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("passwords")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "work.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert refusal(path).startswith("work.zip holds a link ('passwords')")


def test_ten_gigabytes_of_zeros(tmp_path: Path) -> None:
    packed = zeros(2560)
    entries = [(f"{i}.bin", packed, 2560 * 2**20, 0) for i in range(4)]
    archive = raw_zip(tmp_path / "work.zip", entries)
    start = time.perf_counter()
    assert refusal(archive).startswith("work.zip unpacks to far more than a homework")
    assert time.perf_counter() - start < 2
    assert written(tmp_path / "out") == {}


def test_zeros_below_the_size_limit_stop_at_the_ratio(tmp_path: Path) -> None:
    archive = raw_zip(tmp_path / "work.zip", [("0.bin", zeros(150), 150 * 2**20, 0)])
    assert archive.stat().st_size < 2**18
    assert refusal(archive).startswith("work.zip unpacks to far more than a homework")
    assert len(written(tmp_path / "out")["0.bin"]) <= MAX_RATIO * archive.stat().st_size


def test_a_header_that_promises_less_gets_no_more(tmp_path: Path) -> None:
    archive = raw_zip(tmp_path / "work.zip", [("0.bin", zeros(300), 1000, 0)])
    assert refusal(archive).startswith("work.zip is a damaged zip file (")
    assert len(written(tmp_path / "out")["0.bin"]) <= 1000


def test_a_bomb_in_a_bomb_stays_a_file(tmp_path: Path) -> None:
    inner = raw_zip(tmp_path / "inner.zip", [("0.bin", zeros(150), 150 * 2**20, 0)])
    archive = make_zip(tmp_path / "work.zip", {"hw3.py": "1", "inner.zip": inner.read_bytes()})
    unpack(archive, tmp_path / "out")
    assert sorted(written(tmp_path / "out")) == ["hw3.py", "inner.zip"]


def test_too_many_files(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"{i}.txt": "" for i in range(MAX_FILES + 1)}
    archive = make_zip(tmp_path / "work.zip", files)
    assert refusal(archive).startswith(f"work.zip holds more than {MAX_FILES} files;")


def test_a_table_of_contents_that_would_fill_the_memory(tmp_path: Path) -> None:
    entries = [(f"{i:0250d}", b"", 0, 0) for i in range(30_000)]
    archive = raw_zip(tmp_path / "work.zip", entries)
    assert refusal(archive) == (
        "work.zip holds far too many files; hand in the scripts and the report only"
    )


def test_a_file_and_a_folder_of_one_name(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "work.zip", {"a": "1", "a/b.py": "2"})
    assert "holds a file and a folder of one name" in refusal(archive)


def test_a_name_that_no_disk_takes(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "work.zip", {"x" * 300 + ".py": "1"})
    assert "holds a file name that is too long" in refusal(archive)


def test_of_two_files_with_one_name_the_last_counts(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "work.zip", "w") as twice:
        twice.writestr("a.py", "old")
        with pytest.warns(UserWarning, match="Duplicate name"):
            twice.writestr("a.py", "new")
    unpack(tmp_path / "work.zip", tmp_path / "out")
    assert written(tmp_path / "out") == {"a.py": b"new"}


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        ("töö.py".encode(), 0, "töö.py"),  # macOS: UTF-8 that does not say so
        ("töö.py".encode("cp437"), 0, "töö.py"),  # older Windows
        ("töö.py".encode(), 0x800, "töö.py"),
        (b"src\\model.py", 0, "src/model.py"),
    ],
)
def test_names_in_the_encodings_of_the_world(
    tmp_path: Path, raw: bytes, flags: int, name: str
) -> None:
    archive = raw_zip(tmp_path / "work.zip", [("N" * len(raw), b"\3\0", 0, flags)])
    archive.write_bytes(archive.read_bytes().replace(b"N" * len(raw), raw))
    unpack(archive, tmp_path / "out")
    assert list(written(tmp_path / "out")) == [name]


def test_a_name_that_says_utf8_and_is_not(tmp_path: Path) -> None:
    archive = raw_zip(tmp_path / "work.zip", [("NN.py", b"\3\0", 0, 0x800)])
    archive.write_bytes(archive.read_bytes().replace(b"NN", b"\xff\xfe"))
    assert refusal(archive).startswith("work.zip is a damaged zip file (")


def test_an_archive_nobody_may_read(open_folder: Path) -> None:
    archive = make_zip(open_folder / "work.zip", {"hw3.py": "1"})
    archive.chmod(0)
    with without_root():
        assert refusal(archive).startswith("work.zip cannot be read (Permission denied)")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=6))
@example(changes=[(174, 0)])  # a name that is empty
@example(changes=[(243, 12)])  # says that it is bzip2, which fails with an OSError of its own
def test_a_mutated_zip_is_opened_or_refused_and_stays_inside(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("mutated")
    files: dict[str, str | bytes] = {"hw3.py": b"x = 1\n" * 9, "a/b.txt": b"b", "r.pdf": b"p" * 50}
    archive = make_zip(folder / "work.zip", files)
    content = bytearray(archive.read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    archive.write_bytes(content)
    try:
        unpack(archive, folder / "out")
    except SubmissionError as error:
        assert str(error).startswith("work.zip ")  # noqa: PT017 - either way is right
    assert {path.name for path in folder.iterdir()} <= {"work.zip", "out"}


@pytest.mark.parametrize(("size", "sound"), [(None, True), (2**33, False)])
def test_the_form_for_large_zips(tmp_path: Path, size: int | None, sound: bool) -> None:
    archive = make_zip(tmp_path / "work.zip", {"hw3.py": "1"})
    content = archive.read_bytes()
    end = content.rindex(b"PK\5\6")
    count, true_size, start = struct.unpack_from("<HLL", content, end + 10)
    wide = struct.pack(
        "<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size or true_size, start
    )
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    last = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    archive.write_bytes(content[:end] + wide + locator + last)
    if sound:
        assert unpack(archive, tmp_path / "out") == []
        assert written(tmp_path / "out") == {"hw3.py": b"1"}
    else:
        assert "holds far too many files" in refusal(archive)


@pytest.mark.parametrize("name", ["a/" * 10_000 + "b.py", "/".join(["x" * 99] * 12)])
def test_places_that_no_homework_has(tmp_path: Path, name: str) -> None:
    archive = make_zip(tmp_path / "work.zip", {name: "1"})
    assert "holds more than 50 folders in one another, or a path" in refusal(archive)


def test_places_of_junk_do_not_matter(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "work.zip", {"node_modules/" + "a/" * 90 + "x": "1", "b.py": "1"})
    assert unpack(archive, tmp_path / "out") == ["node_modules: installed packages"]


def test_many_deep_places_take_no_time(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a/" * 30_000 + f"{n}.py": "" for n in range(20)}
    start = time.process_time()
    assert "folders in one another" in refusal(make_zip(tmp_path / "work.zip", files))
    assert time.process_time() - start < 5


def test_long_names_are_shortened_in_what_is_said(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / f"{'w' * 240}.zip", {"../" + "x" * 9000: "1"})
    assert len(refusal(archive)) < 400


def test_far_too_many_entries_of_junk(tmp_path: Path) -> None:
    entries = [(f".{i:x}", b"", 0, 0) for i in range(61_000)]
    assert "holds far too many files" in refusal(raw_zip(tmp_path / "work.zip", entries))


def test_a_zstandard_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "work.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd packed")
    assert refusal(tmp_path / "work.tar.zst").startswith("work.tar.zst is a Zstandard archive,")
