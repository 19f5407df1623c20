"""takes all memory, of its own and through a file"""

ENDS = ("memory", "exit")
kept = []
while True:
    kept.append(b"x" * (16 << 20))
