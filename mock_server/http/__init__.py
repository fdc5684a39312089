"""HTTP, without providers: bodies and forms, replies, faults of the connection."""
