"""ASGI's types, as far as the guard needs them.

Events are open dictionaries in ASGI: any layer may add a key, so `Any` is what the specification says of their values.
"""

from collections.abc import Awaitable, Callable
from typing import Any

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# Frameworks type their scopes more narrowly, each in its own way, so the arguments of an app cannot be compared.
App = Callable[[Any, Any, Any], Awaitable[None]]
