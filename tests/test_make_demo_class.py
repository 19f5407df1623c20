"""The demo class on disk is what its sources say."""

import tomllib
import zipfile
from pathlib import Path

import make_demo_class
import pypdfium2
import pytest

GENERATED = dict(make_demo_class.build())


@pytest.mark.parametrize("path", GENERATED, ids=str)
def test_generated_files_are_up_to_date(path):
    on_disk = (make_demo_class.ROOT / path).read_bytes()
    assert on_disk == GENERATED[path], "run python tests/make_demo_class.py"


def test_reports_hold_the_text_of_their_source():
    document = pypdfium2.PdfDocument(GENERATED[Path("submissions/s06/report.pdf")])
    text = document[0].get_textpage().get_text_bounded()
    assert "Number of transfers with 5 GPUs: 19" in text


def test_a_report_that_would_lose_characters_is_refused():
    with pytest.raises(ValueError, match="have no Ж ≤"):
        make_demo_class.pdf("# Ж\n\nn ≤ 5")


def test_every_archive_but_the_broken_one_opens(tmp_path):
    make_demo_class.main(tmp_path)
    broken = []
    for archive in sorted(tmp_path.glob("submissions/*.zip")):
        try:
            with zipfile.ZipFile(archive) as file:
                assert file.testzip() is None
        except zipfile.BadZipFile:
            broken.append(archive.stem)
    assert broken == [make_demo_class.BROKEN_OFF]


def test_every_hand_in_has_expected_points_and_a_name():
    folder = make_demo_class.ROOT / "submissions"
    ids = {p.stem for p in folder.iterdir() if p.is_dir() or p.suffix == ".zip"}
    expected = make_demo_class.ROOT / "tests" / "submissions" / "demo_expected.toml"
    roster = (folder / "roster.csv").read_text("utf-8").splitlines()[1:]
    assert ids == set(tomllib.loads(expected.read_text("utf-8")))
    assert ids == {line.split(",")[0] for line in roster}
