"""What statements of definition change about databases and datasets."""
