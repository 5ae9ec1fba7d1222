"""The words in English. Those below the first line are the widget's own (widget/src/words.js)."""

from __future__ import annotations

__all__ = ["WORDS"]

WORDS: dict[str, str] = {
    # --- the widget's
    "cart": "Cart",
    "title": "Your cart",
    "empty": "Your cart is empty.",
    "add": "Add to cart",
    "view": "View cart",
    "stale": "That link belonged to a cart that has changed or left, and is no longer this cart. "
    "Go back to the page you came from and open the cart there.",
    "quantity": "Quantity of {title}",
    "limit": "At most {n} can be ordered.",
    "later": "Save for later",
    "saved": "Saved for later",
    "move": "Move to cart",
    "gone": "Not available right now",
    "remove": "Remove",
    "subtotal": "Subtotal",
    "as_of": "Prices as of {time}",
    "failed": "That did not work. {detail}",
    "clear": "Empty this cart",
    "clear_ask": "Remove everything from this cart?",
    "clear_yes": "Yes, empty it",
    "go": "Continue to {to} with {n} item|Continue to {to} with {n} items",
    "part": "Part {i} of {k}: {n} item to {to}|Part {i} of {k}: {n} items to {to}",
    "links": "Open each product at {to}",
    "asked": "Did your {n} item arrive at {to}?|Did your {n} items arrive at {to}?",
    "yes": "Yes, start a new cart",
    "no": "No, try again",
    # --- notices
    "quantity_capped": "You asked for {requested}; this seller allows {actual}.",
    "quantity_capped_total": "You asked for {requested}; one cart holds at most {actual} of an item.",
    "saved_for_later": "Saved for later: it is not available now. It comes back by itself when it is.",
    "moved_to_cart": "Available again, so it is back in your cart.",
    "refused": "This item could not be put into the cart: {reason}",
    "refused_ineligible": "it cannot be bought on its own here (choose a variation, or it is a digital item).",
    "refused_inaccessible": "its seller does not take part.",
    "refused_unknown": "this shop does not know it.",
    "refused_other": "the store did not take it.",
    "too_many": "A cart holds at most {n} different items, and yours is full. Remove one first.",
    "cart_renewed": "Your cart had expired; we put the items back.",
    # --- the way out
    "demo_retailer": "Demo Store",
    "note": "{to} opens in a new tab and may ask you to sign in. Nothing is bought until you pay there.",
    "parts_note": "{to} takes this many items in {k} parts. Send each one.",
    "sent_ask": "Back from {to}? When your items are in your cart there, start a new one here.",
    "paid": "(paid link)",
    "off": "This cart cannot be sent to {to} from here.",
    # --- the pages
    "confirm": "Add to your {to} cart?",
    "pieces": "Quantity",
    "pieces_wrong": "The quantity must be a whole number from 1 to 999.",
    "waits": "Not available now: it will wait under “Saved for later”.",
    "each": "{price} each",
    "update": "Update",
    "form_old": "This form is too old or not yours. Go back, load the page again, and try once more.",
    "away": "The cart does not answer now. Nothing is lost: try again in a moment.",
    "pending": "This cart is still being updated. Load the page again in a moment.",
    "offer": "An offer without a title",
    # --- prices
    "price_as_of": "as of {time}",
    "moment": "{year}-{month}-{day} {time} UTC",
    "prime_exclusive": "for Prime members",
    "prime_early_access": "Prime early access",
    "price_hidden": "See the price at {to}",
    "choose": "Choose one:",
}
