"""From battles to standings: arrays in, frozen results out."""
