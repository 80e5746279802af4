"""The original client's own tests at the okera door: their server, and their report."""
