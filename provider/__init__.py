"""A CloudFormation custom resource provider for EC2 Image Builder distribution configurations.

The path of a request: CloudFormation invokes the function with an event, and the function responds with one PUT.

  handler         Lambda's entry point: parses the event, watches the deadline, and delivers exactly one response
  cloudformation  the custom resource protocol: event -> Request, Response -> PUT; deadline, redaction, crhelper
  provision       Request -> Response: checks the properties, reconciles the configuration, and reports the result
  schema          the properties, by botocore's service model: expand, validate, rules, diff, flatten. Pure
  reconciler      reads the observed state, asks `resources` for a plan, executes it, and retries unexpected outcomes
  resources       desired and observed state -> plan, for each resource type; the ownership tags. Pure
  plan            the observed state and the steps of a plan, as frozen data
  aws             API clients, HTTP connections, and TLS contexts

The modules that several of them use:

  errors          the one error family: the outcome of a failed call, and its remediation
  marker          the physical resource ID of a resource that has no ARN yet
  arn             the ARNs of distribution configurations, as text
  observability   structured log lines, one set of keys for each request
  last_resort     the second function: responds FAILED if the first one crashed, timed out, or never ran

The tools, which are not deployed to Lambda:

  template        CloudFormation templates: reading, intrinsic functions, structure
  lint            templates -> findings; the rules for cfn-lint
  preflight       checks, read-only, that images can be distributed: keys, roles, buckets, quotas
  authoring       the reference, the JSON Schema, and starter templates, generated from `schema`
  cli             the commands
  construct       the AWS CDK constructs
  emulator        emulates Image Builder by its own reading of botocore's model, independent of `schema`
  stack_engine    emulates CloudFormation's stack operations with the real handler
  build           builds and packages what is deployed to Lambda
  __main__        `python -m provider`

tests/test_architecture.py says which of these may import which, and tests/test_layout.py that none is missing here.
"""
