"""One module per version; what has been released is never edited."""
