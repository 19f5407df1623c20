"""puts links where the grader would look: in place of its own files, and of its folder"""

import json
import os
import sys

world = json.loads(sys.argv[1])
home = os.environ["HOME"]
os.remove("main.py")
for name in ("main.py", "report.pdf", "score.json", "results"):
    os.symlink(world["outside"], name)
    try:
        open(name, "a").write("spoiled")
    except OSError:
        continue
os.chdir(home)
try:
    os.rename("hand-in", "moved")
    os.symlink(os.path.dirname(world["outside"]), "hand-in")
except OSError:
    pass
