"""What Lambda gets: each function's artifact, built without Docker, the same bytes on every machine that has
the same Python 3.13.

Standard library alone, since `sam build` runs it before anything is installed; but for `package.py`, which nothing else
needs. Nothing of it is in the Lambda.
"""
