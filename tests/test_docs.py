"""Pages speak of commands, options and behaviours that exist, and the other way round."""

import re
import runpy
from pathlib import Path

import click
import pytest

from grader.assignment import assignments, built_in, find
from grader.checking.observations import Prober
from grader.cli import main
from grader.intake import read_class, refuse_overrides
from grader.rubric import load_rubric
from grader.vgpu.cli import command as vgpu_command

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_every_command_is_in_the_readme():
    for name in main.commands:
        spelled = "grade DOWNLOADS" if name == "class" else f"grade {name} "
        assert spelled in README, f"`grade {name}` is not in the README"


def test_every_option_in_the_readme_exists():
    known = {
        option
        for command in main.commands.values()
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    shown = {
        option
        for line in README.splitlines()
        if line.startswith("grade ")
        for option in re.findall(r"--[a-z-]+", line)
    }
    assert shown
    assert shown <= known


def test_the_class_toml_of_the_readme_is_one(tmp_path):
    [text] = [
        block for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "[over" in block
    ]
    (tmp_path / "class.toml").write_text(text, "utf-8")
    (tmp_path / "roster.csv").write_text("id,name\ns07,Ann\n", "utf-8")
    for file in ("s07/hw3.py", "s08/docs/answers.pdf", "s08/final/hw3.py", "s09/part1.pdf"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("class MyNet(nn.Module): ...\n", "utf-8")
    for name in ("task3.py", "task4.py"):
        (tmp_path / "s09" / name).write_text("x = 1\n", "utf-8")
    found, rubric = read_class(tmp_path), load_rubric(find("hw3"))
    points, tasks = {c.id: c.points for c in rubric.criteria}, [t.id for t in rubric.tasks]
    refuse_overrides(found, points, tasks, rubric.model.roles, tmp_path)
    assert found.settings.overrides["s08"].arguments["n"] == "$depth"


def test_every_link_leads_somewhere():
    for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_files_named_in_the_architecture_exist():
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    layers = text.split("## Layers")[1].split("## ")[0]
    named = re.findall(r"`(\w+(?:/|\.py))`", layers.split("Beside the package")[0])
    assert len(named) >= 12
    for name in named:
        assert (ROOT / "grader" / name).exists(), name


@pytest.mark.parametrize("name", ["assignments", "behaviours", "observations"])
def test_a_page_that_is_made_from_the_code_is_up_to_date(name):
    make = runpy.run_path(str(ROOT / "docs" / f"make_{name}.py"))
    page = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    assert page == make["page"](), f"run  python docs/make_{name}.py"


def test_every_probe_is_in_the_table_of_observations():
    page = (ROOT / "docs" / "observations.md").read_text("utf-8")
    probes = [name for name in vars(Prober) if not name.startswith("_")]
    assert len(probes) >= 6
    for name in [*probes, "answer"]:
        assert f"`submission.{name}(" in page, name


def test_every_criterion_is_in_the_table_of_assignments():
    page = (ROOT / "docs" / "assignments.md").read_text("utf-8")
    for assignment in assignments(built_in()):
        for criterion in load_rubric(assignment).criteria:
            assert f"| {assignment.name} | `{criterion.id}` |" in page


def test_the_table_of_hostile_programs_has_them_all_contained():
    make = runpy.run_path(str(ROOT / "docs" / "make_hostile_table.py"))
    page = (ROOT / "docs" / "security.md").read_text("utf-8").partition(make["HEADING"])[2]
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    begins = [make["first_cells"](*program) for program in make["programs"]()]
    todo = "run  python docs/make_hostile_table.py"
    assert len(lines) == len(begins), todo
    for line, begin in zip(lines, begins, strict=True):
        assert line.startswith(begin), todo
        assert line.count("ended by itself") + line.count("crashed") + line.count("stopped: ") == 4


def test_every_option_of_vgpu_is_explained():
    page = (ROOT / "docs" / "virtual-gpus.md").read_text("utf-8")
    for parameter in vgpu_command.params:
        if isinstance(parameter, click.Option):
            assert any(f"`{name}" in page for name in parameter.opts), parameter.opts
