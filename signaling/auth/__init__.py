"""Who may call: apps and their keys, tokens of users, and what a token grants."""
