"""reads the files of others: by path, by link, through /proc, through a descriptor"""

import json
import os
import sys

world = json.loads(sys.argv[1])
secret, folder = world["secret"], os.path.dirname(world["secret"])


def through_symlink():
    os.symlink(secret, "link")
    return open("link").read()


def through_hard_link():
    os.link(secret, "hard")
    return open("hard").read()


def through_folder():
    place = os.open(folder, os.O_PATH)
    return open(os.open(os.path.basename(secret), os.O_RDONLY, dir_fd=place)).read()


def through_renaming():
    os.rename(folder, "mine")
    return open(f"mine/{os.path.basename(secret)}").read()


def through_proc(pid, way):
    return open(f"/proc/{pid}/{way}{secret}").read()


ways = [lambda: open(secret).read(), through_symlink, through_hard_link, through_folder]
ways += [through_renaming, lambda: open("/etc/shadow").read(), lambda: os.listdir(folder)]
ways += [lambda: open("../" * 20 + secret.lstrip("/")).read()]
for pid in (1, os.getppid(), world["victim"], "self"):
    for way in ("root", "cwd/../../../../.."):
        ways.append(lambda pid=pid, way=way: through_proc(pid, way))
for way in ways:
    try:
        print("ESCAPED:", way())
    except OSError:
        continue
