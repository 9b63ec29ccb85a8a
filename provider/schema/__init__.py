"""The resource's properties, based on botocore's service model. Pure: no I/O, no clock."""
