"""The trail of administrative acts: append-only, each record chained to the one before by hash."""
