"""What keeps a platform civil: word filter, pre-send hook, bans, reports, who sees whom."""
