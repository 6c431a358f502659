"""What the families share (folders, schedules, latents) and the forward pass of each architecture."""
