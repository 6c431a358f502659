"""/manage/api/organization/{organization_id}."""
