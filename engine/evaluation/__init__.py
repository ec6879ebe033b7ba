"""Measuring networks: figures, baselines, inputs and the report. Start at `engine.evaluate`."""
