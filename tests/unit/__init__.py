"""One unit at a time, without I/O."""
