"""Paper & Lamp as it is deployed: two machines of it, a second site, one cart service, PostgreSQL and Redis.

All of it on this computer, ended by Ctrl-C: `python -m example_app.deployed`. docs/deployment.md says what differs on
real machines.
"""

from __future__ import annotations

__all__: list[str] = []
