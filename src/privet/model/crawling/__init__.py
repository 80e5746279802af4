"""What crawls report and remember."""
