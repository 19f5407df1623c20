"""All settings of the experiment in one place."""

DIM = 4096
DEPTH = 20          # Task 2: 6, 12, 24; Task 4 and 5: 20
BATCH_SIZE = 64
STEPS = 50
SKIP_STEPS = 10     # warm-up, not in the average
LEARNING_RATE = 0.01
SEED = 2026
