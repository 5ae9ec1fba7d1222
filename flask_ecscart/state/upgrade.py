"""Tables that change from version to version: which parts keep what, and how old tables become new ones in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, select, update

from flask_ecscart.errors import ConfigError

__all__ = ["Part", "Step", "Upgraded", "prepare", "versions"]

Step = Callable[[Connection], object]
"""Changes the tables of a part from one version to the next, inside the transaction it is given."""

_SCHEMA = Table(
    "ecscart_schema",
    MetaData(),
    Column("part", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
)


class Part(NamedTuple):
    """The tables of one part of the package. `steps[n]` brings version n to n + 1."""

    name: str
    version: int
    metadata: MetaData
    fill: Callable[[Connection], object] | None
    steps: Mapping[int, Step]


class Upgraded(NamedTuple):
    """A part whose tables were made (`before` None) or brought to a newer version."""

    part: str
    before: int | None
    after: int


def versions(connection: Connection) -> dict[str, int]:
    """Part → version of its tables as they are; makes the table that says so."""
    _SCHEMA.create(connection, checkfirst=True)
    return {row.part: row.version for row in connection.execute(select(_SCHEMA))}


def prepare(connection: Connection, part: Part, found: int | None, *, upgrade: bool, shown: str) -> Upgraded | None:
    """Make the tables of `part` what this package wants; None when they were so already.

    Raises `ConfigError` for newer tables, and for older ones unless `upgrade`. `shown` names the database.
    """
    if found is not None and found > part.version:
        raise ConfigError(
            "ECSCART_DATABASE_URL",
            shown,
            f"Its {part.name} tables have version {found}, this package knows {part.version}: "
            "install the newer package.",
        )
    done = None
    if found is None:
        part.metadata.create_all(connection)
        connection.execute(_SCHEMA.insert().values(part=part.name, version=part.version))
        done = Upgraded(part.name, None, part.version)
    elif found < part.version:
        if not upgrade:
            raise ConfigError(
                "ECSCART_DATABASE_URL",
                shown,
                f"Its {part.name} tables have version {found}, this package wants {part.version}: "
                "back the database up and run `flask ecscart upgrade` (of a cart service on its own: with --database).",
            )
        _climb(connection, part, found)
        done = Upgraded(part.name, found, part.version)
    if part.fill is not None:
        part.fill(connection)
    return done


def _climb(connection: Connection, part: Part, found: int) -> None:
    for version in range(found, part.version):
        part.steps[version](connection)
    connection.execute(update(_SCHEMA).where(_SCHEMA.c.part == part.name).values(version=part.version))
    part.metadata.create_all(connection)  # tables that are new altogether
