"""The words in French."""

from __future__ import annotations

import re

__all__ = ["WORDS"]

_WORDS: dict[str, str] = {
    # --- the widget's
    "cart": "Panier",
    "title": "Votre panier",
    "empty": "Votre panier est vide.",
    "add": "Ajouter au panier",
    "view": "Voir le panier",
    "stale": "Ce lien menait à un panier qui a changé ou qui a déjà été envoyé. "
    "Revenez à la page d’où vous venez et ouvrez-y le panier.",
    "quantity": "Quantité de {title}",
    "limit": "{n} au maximum par commande.",
    "later": "Mettre de côté",
    "saved": "Mis de côté",
    "move": "Remettre dans le panier",
    "gone": "Indisponible pour le moment",
    "remove": "Supprimer",
    "subtotal": "Sous-total",
    "as_of": "Prix au {time}",
    "failed": "Cela n’a pas fonctionné. {detail}",
    "clear": "Vider ce panier",
    "clear_ask": "Tout retirer de ce panier ?",
    "clear_yes": "Oui, le vider",
    "go": "Continuer vers {to} avec {n} article|Continuer vers {to} avec {n} articles",
    "part": "Partie {i} sur {k} : {n} article vers {to}|Partie {i} sur {k} : {n} articles vers {to}",
    "links": "Ouvrir chaque produit sur {to}",
    "asked": "Votre article est-il bien arrivé sur {to} ?|Vos {n} articles sont-ils bien arrivés sur {to} ?",
    "yes": "Oui, commencer un nouveau panier",
    "no": "Non, réessayer",
    # --- notices
    "quantity_capped": "Vous en vouliez {requested} ; ce vendeur en autorise {actual}.",
    "quantity_capped_total": (
        "Vous en vouliez {requested} ; un panier accepte au plus {actual} exemplaires d’un article."
    ),
    "saved_for_later": "Mis de côté : indisponible pour le moment. L’article reviendra de lui-même dans votre panier.",
    "moved_to_cart": "De nouveau disponible : il est de retour dans votre panier.",
    "refused": "Cet article n’a pas pu être mis dans le panier : {reason}",
    "refused_ineligible": (
        "il ne peut pas être acheté tel quel ici (choisissez une variante, ou c’est un article numérique)."
    ),
    "refused_inaccessible": "son vendeur ne participe pas.",
    "refused_unknown": "cette boutique ne le connaît pas.",
    "refused_other": "la boutique ne l’a pas accepté.",
    "too_many": "Un panier contient au plus {n} articles différents, et le vôtre est plein. Retirez-en un d’abord.",
    "cart_renewed": "Votre panier avait expiré ; nous y avons remis les articles.",
    # --- the way out
    "demo_retailer": "Demo Store",
    "note": (
        "{to} s’ouvre dans un nouvel onglet et peut vous demander de vous identifier. "
        "Rien n’est acheté tant que vous n’avez pas payé sur {to}."
    ),
    "parts_note": "Ces articles partent vers {to} en {k} parties. Envoyez chacune d’elles.",
    "sent_ask": "De retour de {to} ? Si vos articles sont bien dans votre panier là-bas, commencez-en un nouveau ici.",
    "paid": "(lien rémunéré)",
    "off": "Ce panier ne peut pas être envoyé vers {to} depuis cette page.",
    # --- the pages
    "confirm": "Ajouter à votre panier {to} ?",
    "pieces": "Quantité",
    "pieces_wrong": "La quantité doit être un nombre entier de 1 à 999.",
    "waits": "Indisponible pour le moment : l’article attendra dans « Mis de côté ».",
    "each": "{price} l’unité",
    "update": "Mettre à jour",
    "form_old": (
        "Ce formulaire est trop ancien ou n’est pas le vôtre. Revenez en arrière, rechargez la page et réessayez."
    ),
    "away": "Le panier ne répond pas pour le moment. Rien n’est perdu : réessayez dans un instant.",
    "pending": "Ce panier est encore en cours de mise à jour. Rechargez la page dans un instant.",
    "offer": "Une offre sans titre",
    # --- prices
    "price_as_of": "au {time}",
    "moment": "{day}/{month}/{year} à {time} UTC",
    "prime_exclusive": "réservé aux membres Prime",
    "prime_early_access": "accès anticipé Prime",
    "price_hidden": "Voir le prix sur {to}",
    "choose": "Choisissez :",
}
WORDS = {name: re.sub(r" (?=[:;?!»])|(?<=«) ", "\u00a0", words) for name, words in _WORDS.items()}
"""With the spaces that French sets before its marks unbreakable: no line of a phone begins with a colon."""
