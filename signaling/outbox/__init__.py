"""Readers of the log with their own cursor: what the world outside is told, at its own pace."""
