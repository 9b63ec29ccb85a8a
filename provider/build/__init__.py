"""Builds the functions' artifacts without Docker, byte for byte the same on every machine with the same Python 3.13.

`sam build` runs this before anything is installed, so it uses only the standard library, except for `package.py`.
Nothing in this package ships to Lambda.
"""
