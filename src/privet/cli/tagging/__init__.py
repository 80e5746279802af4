"""Commands about tags on data: proposals, and tags as CSV."""
