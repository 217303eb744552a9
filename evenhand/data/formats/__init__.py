"""Formats in which other tools keep judgements: one file each, of the same type as a benchmark."""
