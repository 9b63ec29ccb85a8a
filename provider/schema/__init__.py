"""The resource's properties, based on botocore's service model. Pure: no clock, and no I/O except loading the model."""
