"""/manage/api: what the console asks."""
