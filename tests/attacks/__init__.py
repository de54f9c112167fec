"""Hostile requests over real sockets: each bound at its limit and one past it, and the attacks of advisories."""
