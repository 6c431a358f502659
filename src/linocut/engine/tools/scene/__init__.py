"""What is on a picture: its colours, its ground, its figures and their names. No weights: arithmetic, and a sheet of
drawn figures to compare with."""
