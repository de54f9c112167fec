"""What a program that reasons in text is given of a server: `gnomon mcp`, a few tools with short, bounded answers."""
