"""The byte types the wire layer reads and writes."""

ReadBuffer = bytes | bytearray | memoryview
"""Anything a parser reads: it never keeps a reference longer than the value it returns."""

WriteBuffer = bytearray | memoryview
"""Anything patched in place."""
