"""The tables of what stands in an object store, which is none where the server keeps everything on its disk.

An object is written first and named by a row then; the row is deleted first and the object removed then. So an object
without a row is nobody's, and a row without its object never is.
"""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, Text
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from gnomon_server.store.meta.schema import Int, base_table, metadata, view_of

# Who this database is, made with it: objects below a URL belong to one database.
installation = Table("installation_", metadata, Column("id", Text, primary_key=True))

# The object that holds a content. A content without a row here stands on the disk, under its SHA-256.
blob_object_base = base_table(
    "blob_object",
    Column("tenant", Int, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("object", Text, nullable=False),
    PrimaryKey("tenant", "sha256"),
    ForeignKeyConstraint(["tenant", "sha256"], ["blob_.tenant", "blob_.sha256"]),
    Index("blob_object_key", "tenant", "object"),
)

# A file that comes in parts, which are objects too. `owner` is the uid of a run or of a logged model.
upload_base = base_table(
    "upload",
    Column("tenant", Int, nullable=False),
    Column("uid", Text, nullable=False),
    Column("kind", Text, nullable=False),  # run | model
    Column("owner", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("size", Int),  # NULL: told by its parts
    Column("sha256", Text),
    Column("part_size", Int, nullable=False),
    Column("begun_ms", Int, nullable=False),
    PrimaryKey("tenant", "uid"),
)

# Where the bytes of a chunk stand that was moved; `chunk_.data` is empty then. Many chunks share an object.
chunk_object_base = base_table(
    "chunk_object",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("key", Int, nullable=False),
    Column("gen", Int, nullable=False),
    Column("part", Int, nullable=False),
    Column("object", Text, nullable=False),
    Column("at", Int, nullable=False),  # the first byte in it
    Column("length", Int, nullable=False),
    PrimaryKey("tenant", "run", "key", "gen", "part"),
    ForeignKeyConstraint(
        ["tenant", "run", "key", "gen", "part"],
        ["chunk_.tenant", "chunk_.run", "chunk_.key", "chunk_.gen", "chunk_.part"],
    ),
    Index("chunk_object_key", "tenant", "object"),
)

blob_object = view_of(blob_object_base)
upload = view_of(upload_base)
chunk_object = view_of(chunk_object_base)
