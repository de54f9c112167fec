"""The tables of keys, of sessions and of what was done with them. They are the server's, no tenant's: no view, no wall.

A key may open several tenants, and an entry of the audit log may concern none, so neither can lead with a tenant as
the tables of data do. Their statements stand in `api_keys.py` and `audit.py` and name the tenant where there is one.
"""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from gnomon_server.store.meta.schema import Int, metadata

api_key = Table(
    "api_key_",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),  # viewer | ingest | editor | admin | platform
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the secret
    Column("created_ms", Int, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_ms", Int),
    Column("last_used_ms", Int),  # to the hour
    Column("revoked_ms", Int),
)

api_key_tenant = Table(
    "api_key_tenant_",
    metadata,
    Column("api_key", Text, ForeignKey("api_key_.id"), nullable=False),
    Column("tenant", Int, ForeignKey("tenant_.id"), nullable=False),
    PrimaryKey("api_key", "tenant"),
)

# Who signed in with the identity provider, and what that opens.
session = Table(
    "session_",
    metadata,
    Column("id", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the secret
    Column("login", LargeBinary, nullable=False),  # SHA-256 of the attempt's state: one session an attempt
    Column("created_ms", Int, nullable=False),
    Column("expires_ms", Int, nullable=False),
    Column("last_used_ms", Int),  # to the hour
    Column("revoked_ms", Int),
    Index("session_login", "login", unique=True),
)

session_tenant = Table(
    "session_tenant_",
    metadata,
    Column("session", Text, ForeignKey("session_.id"), nullable=False),
    Column("tenant", Int, ForeignKey("tenant_.id"), nullable=False),
    Column("role", Text, nullable=False),  # viewer | editor | admin
    PrimaryKey("session", "tenant"),
)

# One row, counted up whenever what may open the server changes: every process asks for it twice a second.
access_version = Table("access_version_", metadata, Column("version", Int, nullable=False))

# Each entry holds the hash of the one before it, so nothing can be changed or taken out unseen.
audit = Table(
    "audit_",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("at_ms", Int, nullable=False),
    Column("tenant", Text, nullable=False),  # its name; "" when it concerns none
    Column("actor", Text, nullable=False),  # the id of a key or a session, "operator", or "anonymous"
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Column("previous", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Index("audit_tenant", "tenant", "id"),
)

TABLES = (api_key, api_key_tenant, session, session_tenant, access_version, audit)
