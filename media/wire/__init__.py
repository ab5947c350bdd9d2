"""Bytes to values and back. Pure: no loop, clock, log, socket. Bad bytes raise ValueError only."""
