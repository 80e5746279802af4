"""A labelled set of columns, made by our own code, and how far the built-in library finds them."""
