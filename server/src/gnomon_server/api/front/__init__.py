"""The outer guard: what every request meets before the API, from the socket to the body.

wire ─ protocol.py   times, sizes and numbers of connections (uvicorn's HTTP protocol, bounded)
     └ guard.py      Front, the outermost ASGI app: one request
         ├ head.py      which heads pass, with paths.py and bodies.py
         ├ unpacking.py, budget.py   what a body may become, and how many bytes are held
         ├ problems.py  refusals and security headers
         └ access_log.py
"""

from gnomon_server.api.front.asgi import Scope
from gnomon_server.api.front.guard import Front
from gnomon_server.api.front.limits import ConnectionLimits, FrontLimits

__all__ = ["ConnectionLimits", "Front", "FrontLimits", "Scope"]
