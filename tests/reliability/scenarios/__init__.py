"""Random scenarios: several stacks, one provider, colliding names, and everything that can go wrong.

    python -m tests.reliability.scenarios --seed N

`generate` chooses the steps, `cloud` models CloudFormation, `deliveries` models Lambda, `world` holds the account with
its clock, and `oracle` knows the contract. A scenario is determined by its seed: time is virtual, one thread runs at a
time, and what happens in the middle of a request is tied to one of its calls.
"""
