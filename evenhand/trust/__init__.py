"""What may be believed: arrays in, frozen results out; never a file, never a run."""
