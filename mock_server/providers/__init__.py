"""The faked providers. Each parses its own wire format and renders outcomes in its own words; none decides."""
