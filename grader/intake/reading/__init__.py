"""What a report may be written in: one module for each form. Runs in a sandbox only."""
