"""The encrypted store: lists, results, calendars and settings in two age files."""
