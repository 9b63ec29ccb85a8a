"""The language of the resource: pure functions over the API's shapes. No input, no output, no clock."""
