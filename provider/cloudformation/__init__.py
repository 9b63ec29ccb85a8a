"""CloudFormation's side of the wire: events in, one answer out."""
