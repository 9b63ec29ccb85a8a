"""What an author of templates reads and writes, made from the shapes. Pure functions; nothing of it is in the Lambda."""
