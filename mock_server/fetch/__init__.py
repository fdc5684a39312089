"""Image URLs, fetched under guard: only what was allowed, and never a way into somebody's network."""
