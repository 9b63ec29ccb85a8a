"""A CloudFormation custom resource provider for EC2 Image Builder distribution configurations.

The path of a request: CloudFormation invokes the function with an event, and the function responds with one PUT.

  handler         Lambda's entry point: parses the event, watches the deadline, and delivers exactly one response
  cloudformation  the custom resource protocol: event -> Request, Response -> PUT; deadline, redaction, crhelper
  provision       Request -> Response: checks the properties, reconciles the configuration, and reports the result
  schema          the properties, from botocore's service model: expand, validate, check rules, compare, flatten. A new
                  rule of the service is one row of `rules.RULES`. Pure, except that it loads the model
  reconciler      reads the observed state, gets a plan from `resources`, executes it, and retries unexpected outcomes.
                  `source_resolution` reads the accounts of sources before that, if the properties contain any
  ledger          optional: records what each resource requested in one table, and merges the parts of several resources
  resources       the registry of resource types; for each type: request and observed state -> plan. A new type is one
                  module and one row in the registry. Pure, except `image_builder`, which calls the API
  plan            the observed state and the steps of a plan, as frozen data
  aws             API clients by service, Region, and role; HTTP connections, and TLS contexts

The modules that several of them use:

  errors          the error: its problem, the outcome of the failed call, and the remediation
  marker          the physical resource ID of a Create that failed
  arn             ARNs of distribution configurations, and locations
  observability   structured log lines with the keys of the current request

The second function:

  last_resort     responds FAILED if the first function crashed, timed out, or did not run

The tools, which are not deployed to Lambda:

  template        CloudFormation templates: reading, intrinsic functions, structure
  lint            templates -> findings; the rules for cfn-lint
  preflight       checks, read-only, that images can be distributed: keys, roles, buckets, quotas
  authoring       the reference, the JSON Schema, and starter templates, generated from `schema`
  cli             the commands
  construct       the AWS CDK constructs
  emulator        emulates Image Builder and STS; it reads botocore's models independently of `schema`
  stack_engine    emulates CloudFormation's stack operations with the real handler
  extras          the optional packages of the commands and the constructs
  build           builds and packages what is deployed to Lambda
  __main__        `python -m provider`

tests/test_architecture.py defines what each of these may import. tests/test_layout.py checks that none is missing here.
"""

__version__ = "1.0.0"
