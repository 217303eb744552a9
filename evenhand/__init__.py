"""Run judges over model outputs, and prove how far each judge may be believed."""
