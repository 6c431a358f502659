"""/manage: the console. Only somebody who has signed in gets further."""
