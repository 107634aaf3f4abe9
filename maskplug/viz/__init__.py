"""Display of masked batches: text and statistics."""
