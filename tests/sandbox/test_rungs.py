"""On whatever machine, as whatever user: the grader starts, and says rightly how well it confines.

Rungs that need another user or a container's rules are tried by starting the grader's side there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import grader
from grader.sandbox.features import Namespaces

GRADER = """\
import json, sys, tempfile
from pathlib import Path
from grader.sandbox.request import Request
from grader.sandbox.zygote_host import Zygote
with Zygote(preload=(), without=sys.argv[2:]) as zygote, tempfile.TemporaryDirectory() as folder:
    Path(folder, "main.py").write_text(sys.argv[1])
    run = zygote.launcher.run(Request("grader.sandbox.script", folder, ["main.py"]))
    print(json.dumps([zygote.features.to_json(), str(run.ended), run.output.decode()]))
"""
STUDENT = """\
import json, os, socket
def tried(call, *arguments):
    try:
        return bool(call(*arguments))
    except OSError:
        return False
print(json.dumps({
    "sees others": tried(os.kill, os.getppid(), 0) or os.getpid() > 2,
    "reads elsewhere": tried(os.listdir, "/home") or tried(open, "/etc/passwd"),
    "has a network": tried(socket.create_server, ("127.0.0.1", 0)),
}))
"""
#: As the rules of containers without privileges: no namespaces, no mounts.
IN_A_CONTAINER = """\
import os, sys
from grader.sandbox.kernel import capabilities, seccomp
seccomp.load(seccomp.refusing(["unshare", "setns", "mount", "umount2", "pivot_root", "move_mount",
    "mount_setattr", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick"]))
os.execvp(sys.argv[1], sys.argv[1:])
"""
NOBODY = 65534


def started(command):
    env = {"PYTHONPATH": str(Path(grader.__file__).parents[1]), "PATH": os.environ["PATH"]}
    return subprocess.run(
        command, env=env, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )


def graded(*before: str, without: tuple[str, ...] = (), python: str = sys.executable):
    """Features, ending and output of a sandbox whose grader is started behind `before`."""
    done = started([*before, python, "-c", GRADER, STUDENT, *without])
    assert done.returncode == 0, done.stderr
    features, ended, output = json.loads(done.stdout)
    assert ended == "exit code 0", output
    return features, json.loads(output)


def holds(features, seen):
    """What is seen from inside is what the rung promises."""
    rung = features["rung"]
    assert set(features["missing"]) == {
        name
        for name in ("namespaces", "landlock", "seccomp", "slot_user", "cgroup")
        if features[name] in {Namespaces.NONE, 0}
    }
    assert all(features["missing"].values())
    if rung != "limits":
        assert seen["has a network"] is (rung == "namespaces")
        assert not seen["reads elsewhere"]
    if rung == "namespaces":
        assert not seen["sees others"]
    return rung


@pytest.fixture(scope="module")
def nobody():
    """What goes before a program to make it a user's without rights, and a Python for it."""
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env"]
    before = become if os.geteuid() == 0 else []
    importing = "import sys, grader.sandbox.zygote_host; sys.exit(sys.version_info < (3, 11))"
    for python in filter(None, (sys.executable, shutil.which("python3", path="/usr/bin"))):
        tried = started([*before, python, "-c", importing])
        if tried.returncode == 0:
            return before, python
    pytest.skip(f"no Python for a user without rights: {tried.stderr.splitlines()[-1:]}")


def test_as_whoever_runs_these_tests():
    assert holds(*graded()) in {"namespaces", "landlock", "limits"}


@pytest.mark.parametrize(
    ("without", "at_best"),
    [
        (("namespaces",), "landlock"),
        (("namespaces", "privileges", "later_landlock"), "landlock"),
        (("namespaces", "landlock"), "limits"),
        (("namespaces", "seccomp"), "limits"),
        (("namespaces", "landlock", "seccomp", "slot_user", "cgroup"), "limits"),
    ],
)
def test_with_features_left_out(without, at_best):
    features, seen = graded(without=without)
    rung = holds(features, seen)
    if rung == "limits" != at_best:
        pytest.skip(f"not to be had here: {features['missing']}")
    assert rung == at_best
    assert features["missing"]["namespaces"] == "left out on request"


def test_as_a_user_without_rights(nobody):
    before, python = nobody
    features, seen = graded(*before, python=python)
    holds(features, seen)
    assert features["namespaces"] in {Namespaces.USER, Namespaces.NONE}
    assert "not root" in features["missing"]["slot_user"]


def test_by_the_rules_of_a_container(nobody):
    before, python = nobody
    features, seen = graded(*before, python, "-c", IN_A_CONTAINER, python=python)
    assert holds(features, seen) == ("landlock" if features["landlock"] else "limits")
    assert "unshare" in features["missing"]["namespaces"]


def test_by_the_rules_of_a_container_as_its_root():
    features, seen = graded(sys.executable, "-c", IN_A_CONTAINER)
    assert holds(features, seen) == ("landlock" if features["landlock"] else "limits")
    assert "unshare" in features["missing"]["namespaces"]
