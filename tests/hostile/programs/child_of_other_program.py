"""has another program read the secret: a shell, with a clean environment"""

import json
import os
import subprocess
import sys

world = json.loads(sys.argv[1])
for command in (["/bin/cat", world["secret"]], ["/bin/sh", "-c", f"cat {world['secret']} /etc/shadow"]):
    done = subprocess.run(command, capture_output=True, env={}, cwd=os.environ["HOME"], check=False)
    print(done.stdout)
