"""What the mock decides, in words that belong to no provider."""
