"""Reports read back as a reader would: text, pages, fonts, attachment, pictures."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scores import criterion, forward, mixed, named, train

from grader.records import Score, State, Student
from grader.reports import render_pdf, write_report


def pages(score: Score) -> list[str]:
    """The text of each page, white space made single spaces."""
    with closing(pypdfium2.PdfDocument(render_pdf(score))) as pdf:
        texts = []
        for page in pdf:
            with closing(page), closing(page.get_textpage()) as text:
                texts.append(" ".join(text.get_text_bounded().split()))
        return texts


def text_of(score: Score) -> str:
    return " ".join(pages(score))


def attachment(data: bytes) -> dict:
    with closing(pypdfium2.PdfDocument(data)) as pdf:
        assert pdf.count_attachments() == 1
        file = pdf.get_attachment(0)
        assert file.get_name() == "score.json"
        return json.loads(bytes(file.get_data()))


def picture(score: Score) -> bytes:
    """The header band of the first page, in pixels."""
    with closing(pypdfium2.PdfDocument(render_pdf(score))) as pdf, closing(pdf[0]) as page:
        image = page.render(scale=1).to_pil()
        return image.crop((0, 0, image.width // 2, 90)).tobytes()


# ---------------------------------------------------------------------- what it says


def test_says_who_what_and_how_much():
    text = text_of(mixed())
    for part in (
        *("Õnne Žukova", "s07", "Home Work 3: Layer-wise Model Parallelism"),
        *("1.5 of 8 points", "5 points waiting for a person", "graded 2026-05-01"),
        *("T3 · Use all GPUs", "0.5 / 1", "◐ part of the points, final", "… / 1.5"),
        *("20 layers on 5 GPUs: 4, 4, 4, 4, 4.", "Where: hw3.py, line 20: layer = layer.to("),
        "Try: let i * n // depth choose the GPU.",
        *("GPU 0 has 3 layers and GPU 1 has 3 layers", "2 0.031 812 MB"),
        "Note: The script pinned CUDA_VISIBLE_DEVICES",
    ):
        assert part in text, part


def test_a_failure_of_ours_says_that_nothing_is_lost():
    assert "our grader failed here, you lose nothing" in text_of(mixed())


def test_pages_are_numbered_and_few():
    found = pages(mixed())
    assert len(found) <= 2
    for number, text in enumerate(found, 1):
        assert f"page {number} of {len(found)}" in text


def test_full_marks_and_final_scores_say_so():
    full = replace(mixed(), criteria=(criterion("t3.even", 2, 2.0),))
    some = replace(mixed(), criteria=(criterion("t3.even", 2, 1.0, hint="count again"),))
    assert "Full marks" in text_of(full)
    assert "waiting for a person" not in text_of(full)
    assert "All points are final." in text_of(some)


def test_no_hint_where_nothing_is_missing():
    done = criterion("t3.even", 1, 1.0, hint="unneeded advice")
    assert "unneeded advice" not in text_of(replace(mixed(), criteria=(done,)))


def test_a_persons_words_and_decision_are_shown():
    decided = criterion("t1.q1", 1.5, 1.0, comment="Name the line as well.", found="x.to(...)")
    text = text_of(replace(mixed(), criteria=(decided,)))
    assert "decided by a person" in text
    assert "Comment: Name the line as well." in text


def test_a_suggestion_waits_for_a_person():
    suggested = criterion("t1.q1", 1.5, 1.0, state=State.PROVISIONAL)
    text = text_of(replace(mixed(), criteria=(suggested,)))
    assert "suggested 1, waits for a person" in text
    assert "1.5 points waiting for a person" in text


def test_an_unreadable_hand_in_gets_a_report_with_the_next_step():
    score = replace(
        mixed(),
        criteria=(criterion("t4.run", 1, 0.0, evidence="No code could be read."),),
        observations=(),
        notes=(),
        problem="homework.zip is not a zip file",
        late="2 days late",
    )
    text = text_of(score)
    assert "could not be graded as it is homework.zip is not a zip file What to do:" in text
    assert "Late: 2 days late" in text
    assert "No code could be read." not in text  # the box says it all
    assert "Where each layer ran" not in text


def test_what_being_late_costs_is_said_beside_the_points():
    done = (criterion("t3.even", 1, 1.0), criterion("t4.run", 4, 3.0))
    late = replace(mixed(), criteria=done, late="handed in 26 h late", late_share=0.1)
    text = text_of(late)
    assert "Late: handed in 26 h late. It costs 0.4 points: 10 % of the 4 earned." in text
    assert "3.6 of 5 points" in text
    excused = replace(late, late_share=0.0, excused="was ill")
    text = text_of(excused)
    assert "Late: handed in 26 h late. Excused (was ill): it costs nothing." in text
    assert "4 of 5 points" in text


def test_a_score_without_criteria_still_makes_a_report():
    assert "Nothing was graded." in text_of(replace(mixed(), criteria=(), observations=()))


# ---------------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name",
    [
        *("Õnne Žukova", "Анна Щербакова", "Ελένη Παπαδοπούλου", "Nguyễn Thị Ánh"),
        *("王小明", "佐藤さくら", "김민준", "Şükrü Ğ (王)"),
    ],
)
def test_names_are_printed_in_embedded_fonts(name):
    assert name in text_of(named(name))
    assert_fonts_are_embedded(render_pdf(named(name)))


def test_a_decomposed_name_is_composed():
    assert "Õnne Žukova" in text_of(named("O\u0303nne Z\u030cukova"))


@pytest.mark.parametrize(("one", "other"), [("王小明", "李大文"), ("김민준", "박서연")])
def test_glyphs_are_drawn_and_not_boxes(one, other):
    assert picture(named(one)) != picture(named(other))


@pytest.mark.parametrize(
    "name", ["أحمد محمد", "דוד לוי", "สมชาย ใจดี", "आरव", "\ud83d\ude00x", "\U0001f9d1"]
)
def test_a_name_that_cannot_be_printed_gives_way_to_the_id(name):
    first = pages(named(name, "s08-k"))[0]
    assert first.startswith("s08-k ")
    assert "the name has letters that this report cannot print" in first
    assert picture(named(name, "s08-k")) == picture(named("\u0e01", "s08-k"))


@pytest.mark.parametrize("name", [None, "", "  ", "s07"])
def test_without_a_name_the_id_stands_alone(name):
    first = pages(named(name))[0]
    assert first.startswith("s07 ")
    assert "cannot print" not in first


def assert_fonts_are_embedded(data: bytes) -> None:
    with closing(pypdfium2.PdfDocument(data)) as pdf:
        for page in pdf:
            with closing(page):
                pieces = list(page.get_objects([pdfium.FPDF_PAGEOBJ_TEXT]))
                fonts = [pdfium.FPDFTextObj_GetFont(piece.raw) for piece in pieces]
                assert fonts
                assert all(pdfium.FPDFFont_GetIsEmbedded(font) for font in fonts)


# ---------------------------------------------------------------------- what was seen


def test_transfers_and_layers_per_gpu_of_the_trained_depth_only():
    text = text_of(mixed())
    assert "20 layers on 2 GPUs. Layers per GPU: 10, 10. 1 transfer between GPUs" in text
    assert "20 layers on 5 GPUs. Layers per GPU: 4, 4, 4, 4, 4. 4 transfers between GPUs" in text
    assert "30 layers" not in text
    assert "on 3 GPUs." not in text


def test_equal_losses_share_a_line_and_the_text_says_so():
    equal = text_of(mixed())
    other = replace(mixed(), observations=(train(2, [2.0, 1.0], []), train(5, [2.0, 1.1], [])))
    assert "The losses on 2 and 5 GPUs are the same" in equal
    assert "are the same" not in text_of(other)


def test_a_run_that_failed_says_why():
    failed = {"probe": "train", "depth": 20, "gpus": 5, "error": "RuntimeError: two devices"}
    text = text_of(replace(mixed(), observations=(forward(5, [0] * 20), failed)))
    assert "What went wrong here: RuntimeError: two devices" in text
    assert "Loss while training" not in text


def test_a_failure_that_repeats_is_told_once():
    seen = [{"probe": "forward", "depth": 9, "gpus": n, "error": "mixed devices"} for n in (2, 3)]
    text = text_of(replace(mixed(), observations=tuple(seen)))
    assert text.count("mixed devices") == 1
    assert "What went wrong here: the same as above." in text


def test_a_loss_that_stops_being_a_number():
    seen = (forward(2, [0, 1], depth=2), train(2, [1.0, float("nan"), 1.0], [1, 2], depth=2))
    assert "stopped being a usable number at step 2" in text_of(replace(mixed(), observations=seen))


def test_layers_on_the_cpu_are_named():
    seen = (forward(2, [-1, 0, 1], depth=3, transfers={"gpu_to_gpu": 1}),)
    text = text_of(replace(mixed(), observations=seen))
    assert "Layers per GPU: 1, 1, and 1 on the CPU." in text


@pytest.mark.parametrize(("depth", "gpus"), [(1, 1), (25, 2), (26, 16), (100, 16), (400, 128)])
def test_any_size_fits_the_page(depth, gpus):
    placement = [layer % gpus for layer in range(depth)]
    seen = (
        forward(gpus, placement, depth=depth),
        train(gpus, [1.0] * 300, [2**30] * gpus, depth=depth),
    )
    score = replace(mixed(), observations=seen)
    assert f"{depth} layer" in text_of(score)
    assert_inside_the_page(render_pdf(score))


# ---------------------------------------------------------------------- bytes


def test_equal_scores_give_equal_bytes():
    assert render_pdf(mixed()) == render_pdf(mixed())
    assert render_pdf(mixed()) != render_pdf(named("Somebody Else"))


def test_bytes_do_not_depend_on_the_process():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from scores import named; "
        "from grader.reports import render_pdf; import hashlib; "
        "print(hashlib.sha256(render_pdf(named('Анна 王'))).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parent)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_the_score_is_attached():
    assert Score.from_json(attachment(render_pdf(mixed()))).total == mixed().total
    assert attachment(render_pdf(named("王 \ud800")))["student"]["name"] == "王 \ud800"


def test_what_is_for_the_instructor_only_is_nowhere():
    score = replace(
        mixed(),
        suspicions=("SECRET-SUSPICION",),
        criteria=tuple(
            replace(c, operator="SECRET-TRACE", question="SECRET-ANSWER") for c in mixed().criteria
        ),
    )
    assert "SECRET" not in text_of(score)
    assert "SECRET" not in json.dumps(attachment(render_pdf(score)))


def test_the_file_is_written_whole(tmp_path):
    write_report(mixed(), tmp_path / "s07" / "report.pdf")
    assert (tmp_path / "s07" / "report.pdf").read_bytes() == render_pdf(mixed())
    assert [file.name for file in (tmp_path / "s07").iterdir()] == ["report.pdf"]


# ---------------------------------------------------------------------- hostile text

HOSTILE = [
    *("<b>bold</b>", "</para><font", "&nbsp;&#x0;", "a\x00b\x07", "\ud800", "\u202eabc", "{{ 1 }}"),
    *("x" * 3000, "word " * 2000, "\n" * 500 + "end", "王" * 900, "أ" * 400, "\u0301" * 60),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_the_report(text):
    score = everywhere(text)
    found = pages(score)
    assert len(found) <= 6
    assert_inside_the_page(render_pdf(score))


def test_markup_is_shown_and_not_obeyed():
    text = text_of(everywhere("<b>bold</b> & <i>"))
    assert text.count("<b>bold</b> & <i>") >= 8


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text_makes_a_report(text):
    assert render_pdf(everywhere(text)).startswith(b"%PDF")


def everywhere(text: str) -> Score:
    """A score with `text` in every place that strangers can fill."""
    failed = {"probe": "train", "depth": 20, "gpus": 5, "error": text}
    return replace(
        mixed(),
        student=Student("s07", text),
        title=text,
        criteria=(
            criterion("t3.even", 1, 0.0, title=text, evidence=text, hint=text, found=text),
            criterion("t1.q1", 1, evidence=text, found=text, comment=text),
        ),
        observations=(forward(5, [0] * 20), failed),
        late=text,
        excused=text,
        problem=text,
        notes=(text,) * 20,
    )


def assert_inside_the_page(data: bytes) -> None:
    """Every piece of text lies within the page's margins, with a little room for arrows."""
    with closing(pypdfium2.PdfDocument(data)) as pdf:
        for page in pdf:
            with closing(page):
                width, height = page.get_size()
                for piece in page.get_objects([pdfium.FPDF_PAGEOBJ_TEXT]):
                    left, bottom, right, top = _bounds(piece.raw)
                    assert left >= 40
                    assert bottom >= 20
                    assert right <= width - 40
                    assert top <= height - 15


def _bounds(piece) -> tuple[float, float, float, float]:
    sides = [ctypes.c_float() for _ in range(4)]
    assert pdfium.FPDFPageObj_GetBounds(piece, *sides)
    left, bottom, right, top = (side.value for side in sides)
    return left, bottom, right, top
