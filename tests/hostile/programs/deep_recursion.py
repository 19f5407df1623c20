"""recurses without end, in Python and in C"""

import json
import sys

ENDS = ("signal", "exit", "memory")
sys.setrecursionlimit(1 << 30)
deep = []
for _ in range(200_000):
    deep = [deep]
try:
    json.dumps(deep)
except RecursionError:
    pass


def again():
    return again()


again()
