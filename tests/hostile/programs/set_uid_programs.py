"""runs programs that would make it root: su, mount, and a copy of a shell with the bit set"""

import os
import shutil
import subprocess

for command in (["su", "-c", "id -u"], ["mount", "-t", "tmpfs", "none", "/tmp"], ["passwd", "-d", "root"]):
    path = shutil.which(command[0])
    if path is None:
        continue
    done = subprocess.run(
        command, capture_output=True, stdin=subprocess.DEVNULL, timeout=1, check=False
    )
    if done.returncode == 0:
        print("ESCAPED:", command, done.stdout)
me = os.getuid()
shutil.copy("/bin/sh", "shell")
os.chmod("shell", 0o6755)
done = subprocess.run(["./shell", "-pc", "id -u"], capture_output=True, text=True, check=False)
if done.stdout.strip() not in {"", str(me)}:
    print("ESCAPED: became", done.stdout)
