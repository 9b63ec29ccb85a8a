"""`convert`: what others wrote as a resource of the provider's, and back, with everything else of the text kept."""
