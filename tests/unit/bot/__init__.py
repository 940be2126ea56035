"""What people read, without Discord."""
