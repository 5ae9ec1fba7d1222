"""Names of texts that only the widget has, with its English: an owner may replace them too (widget/src/words.js)."""

from __future__ import annotations

__all__ = ["WORDS"]

WORDS: dict[str, str] = {
    "items": "{n} item|{n} items",
    "added": "Added to your cart: {title}",
    "close": "Close",
    "dismiss": "Dismiss",
    "less": "One less of {title}",
    "more": "One more of {title}",
    "full": "This cart is full: {n} different items.",
    "removed": "Removed: {title}",
    "undo": "Undo",
    "price_changed": "The price changed.",
    "clear_no": "No, keep it",
    "busy": "Busy, trying again.",
    "offline": "Offline. It is kept and sent later.",
}
