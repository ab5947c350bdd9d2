"""The mechanisms of forwarding. Pure: `now` (seconds, monotonic) is an argument.

Sequence numbers here are extended ones (they do not wrap); media.wire.seq makes them.
"""
