"""Requests that the server makes of others, and whom it may reach: the only room with a way out.

`addresses.py` says which URLs and which addresses; `client.py` connects to an address that was judged, never to a name.
"""
