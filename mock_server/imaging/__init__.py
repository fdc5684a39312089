"""Pictures: decoding, recognising by content, drawing. Knows no account, no scenario, no provider."""
