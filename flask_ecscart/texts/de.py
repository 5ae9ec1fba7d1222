"""The words in German."""

from __future__ import annotations

__all__ = ["WORDS"]

WORDS: dict[str, str] = {
    # --- the widget's
    "cart": "Warenkorb",
    "title": "Ihr Warenkorb",
    "empty": "Ihr Warenkorb ist leer.",
    "add": "In den Warenkorb",
    "view": "Warenkorb ansehen",
    "stale": "Dieser Link gehörte zu einem Warenkorb, der sich geändert hat oder schon übergeben ist. "
    "Gehen Sie zurück zur vorigen Seite und öffnen Sie dort den Warenkorb.",
    "quantity": "Menge von {title}",
    "limit": "Höchstens {n} bestellbar.",
    "later": "Für später merken",
    "saved": "Für später gemerkt",
    "move": "In den Warenkorb legen",
    "gone": "Zurzeit nicht verfügbar",
    "remove": "Entfernen",
    "subtotal": "Zwischensumme",
    "as_of": "Preise: Stand {time}",
    "failed": "Das hat nicht geklappt. {detail}",
    "clear": "Diesen Warenkorb leeren",
    "clear_ask": "Alles aus diesem Warenkorb entfernen?",
    "clear_yes": "Ja, leeren",
    "go": "Mit {n} Artikel weiter zu {to}|Mit {n} Artikeln weiter zu {to}",
    "part": "Teil {i} von {k}: {n} Artikel zu {to}",
    "links": "Jedes Produkt einzeln bei {to} öffnen",
    "asked": "Ist Ihr Artikel bei {to} angekommen?|Sind Ihre {n} Artikel bei {to} angekommen?",
    "yes": "Ja, neuen Warenkorb beginnen",
    "no": "Nein, erneut versuchen",
    # --- notices
    "quantity_capped": "Sie wollten {requested}; dieser Verkäufer erlaubt {actual}.",
    "quantity_capped_total": "Sie wollten {requested}; ein Warenkorb fasst höchstens {actual} von einem Artikel.",
    "saved_for_later": (
        "Für später gemerkt: zurzeit nicht verfügbar. Sobald es ihn wieder gibt, kommt er von selbst zurück."
    ),
    "moved_to_cart": "Wieder verfügbar und zurück in Ihrem Warenkorb.",
    "refused": "Dieser Artikel konnte nicht in den Warenkorb gelegt werden: {reason}",
    "refused_ineligible": (
        "Er ist hier nicht einzeln zu kaufen (wählen Sie eine Ausführung, oder es ist ein digitaler Artikel)."
    ),
    "refused_inaccessible": "Sein Verkäufer nimmt nicht teil.",
    "refused_unknown": "Dieser Shop kennt ihn nicht.",
    "refused_other": "Der Shop hat ihn nicht angenommen.",
    "too_many": "Ein Warenkorb fasst höchstens {n} verschiedene Artikel, und Ihrer ist voll. Entfernen Sie erst einen.",
    "cart_renewed": "Ihr Warenkorb war abgelaufen; wir haben die Artikel wieder hineingelegt.",
    # --- the way out
    "demo_retailer": "Demo Store",
    "note": (
        "{to} öffnet sich in einem neuen Tab und bittet Sie vielleicht, sich anzumelden. "
        "Gekauft ist nichts, bevor Sie dort bezahlen."
    ),
    "parts_note": "{to} nimmt so viele Artikel in {k} Teilen an. Senden Sie jeden Teil einzeln.",
    "sent_ask": ("Zurück von {to}? Wenn Ihre Artikel dort im Warenkorb liegen, beginnen Sie hier einen neuen."),
    "paid": "(bezahlter Link)",
    "off": "Dieser Warenkorb kann von hier nicht an {to} gesendet werden.",
    # --- the pages
    "confirm": "In Ihren Warenkorb für {to} legen?",
    "pieces": "Menge",
    "pieces_wrong": "Die Menge muss eine ganze Zahl von 1 bis 999 sein.",
    "waits": "Zurzeit nicht verfügbar: der Artikel wartet unter „Für später gemerkt“.",
    "each": "je {price}",
    "update": "Aktualisieren",
    "form_old": (
        "Dieses Formular ist zu alt oder nicht Ihres. "
        "Gehen Sie zurück, laden Sie die Seite neu und versuchen Sie es noch einmal."
    ),
    "away": "Der Warenkorb antwortet gerade nicht. Nichts ist verloren: Versuchen Sie es gleich noch einmal.",
    "pending": "Dieser Warenkorb wird noch aktualisiert. Laden Sie die Seite gleich noch einmal.",
    "offer": "Ein Angebot ohne Titel",
    # --- prices
    "price_as_of": "Stand {time}",
    "moment": "{day}.{month}.{year}, {time} UTC",
    "prime_exclusive": "für Prime-Mitglieder",
    "prime_early_access": "Früher Zugang mit Prime",
    "price_hidden": "Preis bei {to} ansehen",
    "choose": "Bitte wählen:",
}
