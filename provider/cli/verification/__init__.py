"""What `verify` does: it reads an installation of the provider, and deploys and deletes a throw-away stack."""
