"""The door for the published client of the original: planner and worker on one port."""
