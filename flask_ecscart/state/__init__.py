"""What all workers share: durable state in SQL, fleeting state beside it or in Redis."""

from __future__ import annotations
