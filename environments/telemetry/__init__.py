"""What a process tells of itself: figures, beats, log lines, traces. Nothing of an environment's content is in it."""
