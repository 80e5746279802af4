"""What the catalog holds now: read in few queries, and kept for as long as it stands."""
