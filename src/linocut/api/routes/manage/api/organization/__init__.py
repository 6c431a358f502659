"""/manage/api/organization: members, invites, keys of an organisation."""
