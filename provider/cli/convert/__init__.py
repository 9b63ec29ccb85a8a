"""Converts between native resources, this provider's resources, and the AWS CLI's input. The rest of a text is kept."""
