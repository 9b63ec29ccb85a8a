"""Random scenarios: several stacks, one provider, colliding names, and faults of all types.

    python -m tests.reliability.scenarios --seed N

`generate` chooses the steps, `cloud` models CloudFormation, `deliveries` models Lambda, `world` has the account with
its clock, and `oracle` checks the contract. The seed determines a scenario: time is virtual, one thread runs at a
time, and what happens in the middle of a request is tied to one of its calls.
"""
