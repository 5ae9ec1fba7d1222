"""What `flask ecscart doctor` looks at: each room examines one side of a site and says what it found."""

from __future__ import annotations

__all__: list[str] = []
