"""takes all memory, of its own"""

ENDS = ("memory", "exit", "cpu")
kept = []
for _ in range(128):
    kept.append(b"x" * (16 << 20))
print("ESCAPED: has 2 GB")
