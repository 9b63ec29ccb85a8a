"""Plans the deployment of a template without deploying it."""
