"""What deploying a template would come to, without deploying it."""
