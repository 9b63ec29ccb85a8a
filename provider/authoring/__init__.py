"""What an author of templates reads and writes, made from the shapes. Pure; nothing of it is in the Lambda."""
