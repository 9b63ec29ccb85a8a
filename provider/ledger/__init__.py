"""What each resource requests of a configuration, recorded in one DynamoDB table, and how these parts are merged.

Only a provider with a table imports this package. Pure modules, from data to data:

  claims         a configuration's content as a set of (path, value) claims, and back
  contributions  the paths at which an owner allows the parts of others
  merge          parts -> the merged content, and which newcomers conflict
  parts          the record of a part, and its transitions
  settings       the environment variables besides the table's name
  removals       the accounts that sources no longer contain, and those that are held

Modules that make calls:

  entry           what one request needs of the ledger, from the function's settings
  recorded_owner  the requests of a configuration resource
  contributor     the requests of a contribution
  scheduled       the schedule's event
  sweep           what the schedule does: repair what requests left behind, and find drift
  participate     what one request does: propose its part, and wait until it is settled
  combine         what the holder of a lease does: merge, write, read back, settle
  configurations  reads, writes, and marks configurations for the algorithm
  sources         resolves the account sources of a body, for requests and for sweeps
  owner_roles     configurations in other accounts, reached with their owner's role
  sharing         the tags that mark a configuration as shared
  store           parts, leases, and digests as items of the table
  table           the five operations of the table, through botocore's client
"""
