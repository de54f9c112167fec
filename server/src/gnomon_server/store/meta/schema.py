"""How a table is declared: its base, which every tenant's rows stand in, and its view, which shows one tenant's."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Integer, Table

metadata = sa.MetaData()
_views = sa.MetaData()

# SQLite's INTEGER is 64 bits wide and only that word makes a rowid alias; PostgreSQL needs BIGINT.
Int = BigInteger().with_variant(Integer(), "sqlite")


def base_table(name: str, *items: sa.schema.SchemaItem, rowid: bool = False) -> Table:
    """The base table of this name, which is written `name_`."""
    return Table(f"{name}_", metadata, *items, sqlite_with_rowid=rowid)


def view_of(base: Table) -> Table:
    """The view of a base table, with the same columns."""
    columns = [Column(column.name, column.type, nullable=column.nullable) for column in base.columns]
    return Table(base.name.removesuffix("_"), _views, *columns)
