"""What keeps the carts: the database, its place, its age and its clock; Redis."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

from sqlalchemy import text

from flask_ecscart.doctor.finding import Finding, good
from flask_ecscart.doctor.patient import Patient
from flask_ecscart.errors import ConfigError, StateUnavailable

__all__ = ["clock_finding", "database", "file_system", "redis", "safety", "sqlite_file"]

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre"}
    | {"fuse.sshfs", "fuse.s3fs", "fuse.rclone"}
)
_FLEETING = frozenset({"tmpfs", "ramfs"})
_LEAST_FREE = 100 * 1024 * 1024
_SKEW_NOTED, _SKEW_BAD = 2.0, 60.0
_REDIS_SECONDS = 2.0


def sqlite_file(patient: Patient, *, mounts: str | None = None) -> Iterator[Finding]:
    """Where the SQLite file lies: writable, on a local and lasting disk with room."""
    url = patient.site.database.url
    if not patient.site.database.is_sqlite:
        return
    if not url.database or url.database == ":memory:":
        yield _wrong(
            "error",
            "The carts are kept in memory.",
            "They are gone with the process, and two workers know nothing of each other.",
        )
        return
    file = Path(url.database)
    if not file.is_absolute():
        yield _wrong(
            "warning",
            f"The database path {url.database} is relative.",
            "Started from another folder, the site begins with an empty database.",
            "Write it in full: sqlite:////path/to/ecscart.db, with four slashes.",
        )
    yield from _place(file.absolute(), _mounts() if mounts is None else mounts)
    yield from _writable(file.absolute())


def _place(file: Path, mounts: str) -> Iterator[Finding]:
    kind = file_system(file, mounts)
    if kind in _NETWORK or str(file).startswith("\\\\"):
        yield _wrong(
            "error",
            f"The database file lies on a network drive ({kind}).",
            "SQLite's WAL mode does not work there: two machines, or one hiccup, ruin the file and every cart in it.",
        )
    elif kind in _FLEETING:
        yield _wrong(
            "error", f"The database file lies in memory ({kind}).", "Every cart is gone when the machine restarts."
        )


def _writable(file: Path) -> Iterator[Finding]:
    folder = next((parent for parent in file.parents if parent.exists()), file.parent)
    target = file if file.exists() else folder
    if not os.access(target, os.W_OK) or not os.access(folder, os.W_OK | os.X_OK):
        yield _wrong(
            "error",
            f"{target} cannot be written by this user.",
            "Nothing can be added to a cart.",
            "Let the user that runs the site write the file and its folder, where SQLite makes files beside it.",
        )
        return
    if shutil.disk_usage(folder).free < _LEAST_FREE:
        yield _wrong(
            "warning", f"Less than 100 MB are free beside {file}.", "A full disk refuses every change.", "Make room."
        )
    if not file.exists():
        yield good("database", f"{file} is not there yet and will be made by the first request that needs it.")


def database(patient: Patient) -> Iterator[Finding]:
    """Whether the database answers, in which versions its tables are, and how safely it keeps what it is given."""
    kept = patient.site.database
    if not patient.has_database:
        return
    before = patient.site.clock()
    try:
        with kept.reading() as connection:
            rows = connection.execute(text("SELECT part, version FROM ecscart_schema ORDER BY part"))
            versions = ", ".join(f"{row.part} {row.version}" for row in rows)
            if kept.is_sqlite:
                mode, now = str(connection.execute(text("PRAGMA journal_mode")).scalar_one()), None
            else:
                mode = str(connection.execute(text("SHOW synchronous_commit")).scalar_one())
                now = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
    except StateUnavailable as problem:
        reason = type(problem.__cause__).__name__ if problem.__cause__ is not None else "no answer"
        what = f"The database does not answer ({reason}): {kept.url.render_as_string(hide_password=True)}"
        mend = "Start it, and check ECSCART_DATABASE_URL: host, port, user, name, and who may connect."
        yield _wrong("error", what, "Every cart request is answered with 503.", mend)
        return
    except ConfigError as problem:
        why = "This version of the package does not touch tables it does not know, so carts do not work."
        yield _wrong("error", str(problem), why, problem.fix)
        return
    yield good("database", f"The database answers. Tables: {versions}.")
    yield from safety(mode, sqlite=kept.is_sqlite)
    if now is not None:
        yield clock_finding("the database server", datetime.fromtimestamp(float(now), timezone.utc), before)


def safety(mode: str, *, sqlite: bool) -> Iterator[Finding]:
    """What SQLite's journal mode, or PostgreSQL's synchronous_commit, means for carts."""
    if sqlite and mode != "wal":
        why = "Readers and writers then wait for each other, and a change can be refused as busy."
        yield _wrong("warning", f"SQLite cannot use WAL here (journal mode {mode}).", why)
    if not sqlite and mode == "off":
        why = "A crash of the server may lose changes that shoppers were told are safe."
        mend = "Set synchronous_commit to on for this database or user."
        yield _wrong("warning", "PostgreSQL answers before it has written (synchronous_commit is off).", why, mend)


def redis(patient: Patient) -> Iterator[Finding]:
    """Whether Redis answers, where one is named."""
    url = patient.site.settings.redis_url
    if url is None:
        return
    why = "Turns and locks are not shared then: no cart is lost, but remote carts wait, or are refused with 503."
    import redis as package  # noqa: PLC0415 - an extra; a site that names a Redis does not start without it

    try:
        client: Any = cast("Any", package).Redis.from_url(
            url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
        )
        try:
            client.ping()
        finally:
            client.close()
    except (package.RedisError, ValueError, OSError) as problem:
        mend = "Start it, and check ECSCART_REDIS_URL: host, port, password, database number."
        what = f"Redis does not answer ({type(problem).__name__})."
        yield Finding(level="error", check="redis", what=what, why=why, mend=mend)
        return
    yield good("redis", "Redis answers.")


def clock_finding(whose: str, theirs: datetime, ours: datetime) -> Finding:
    """What two clocks that differ come to; `whose` names the other one."""
    seconds = (ours - theirs).total_seconds()
    apart = f"This machine's clock is {abs(seconds):.0f} seconds {'ahead of' if seconds > 0 else 'behind'} {whose}."
    if abs(seconds) <= _SKEW_NOTED:
        return good("clock", f"This machine's clock agrees with {whose}.")
    return Finding(
        level="warning" if abs(seconds) > _SKEW_BAD else "note",
        check="clock",
        what=apart,
        why="Signed requests are refused when it is 15 minutes off; sessions and carts end at the wrong time.",
        mend="Switch time synchronisation on (chrony, systemd-timesyncd) on both machines.",
    )


def file_system(file: Path, mounts: str) -> str | None:
    """The kind of file system `file` lies on, read off the text of /proc/mounts; None when that does not say."""
    best, kind = "", None
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:  # noqa: PLR2004
            continue
        point = fields[1].replace("\\040", " ")
        inside = file.is_relative_to(point)
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def _mounts() -> str:
    try:
        return Path("/proc/mounts").read_text()
    except OSError:
        return ""


def _wrong(level: Any, what: str, why: str, mend: str = "") -> Finding:
    usual = "Set ECSCART_DATABASE_URL to a file on a local disk, or to postgresql+psycopg://… for several machines."
    return Finding(level=level, check="database", what=what, why=why, mend=mend or usual)
