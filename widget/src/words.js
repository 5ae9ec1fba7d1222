/**
 * The widget's words: a name, then the text in English, German, French and Japanese, a line each. Names that the
 * server has too stand for the same there (flask_ecscart/texts); what it says of an item comes with its answers.
 * The first is the language itself. "one|other" forms are chosen by {n}; the name of another text in braces stands for that text.
 * The order of the others is the one of those tried that travels in the fewest bytes.
 */
export const words = `
lang
en
de
fr
ja

items
{n} item|{n} items
{n} Artikel
{n} article|{n} articles
{n}点

empty
Your cart is empty.
Ihr Warenkorb ist leer.
Votre panier est vide.
カートは空です。

add
Add to cart
In den Warenkorb
Ajouter au panier
カートに入れる

added
Added to your cart: {title}
Im Warenkorb: {title}
Ajouté : {title}
カートに入れました：{title}

view
View cart
{title}
{title}
{title}

close
Close
Schließen
Fermer
閉じる

asked
Did your {items} arrive at {to}?
Sind Ihre Artikel bei {to} angekommen?
Articles bien arrivés chez {to} ?
{to} のカートに入りましたか？

quantity
Quantity of {title}
Menge: {title}
Quantité : {title}
数量：{title}

less
One less of {title}
Eins weniger: {title}
Un de moins : {title}
減らす：{title}

more
One more of {title}
Eins mehr: {title}
Un de plus : {title}
増やす：{title}

full
This cart is full: {n} different items.
Voll: {n} verschiedene Artikel.
Plein : {n} articles différents.
いっぱいです：{n}種類

saved
Saved for later
Für später gemerkt
Mis de côté
{later}

move
Move to cart
{add}
{add}
{add}

gone
Not available right now
Nicht verfügbar
Indisponible
在庫がありません

remove
Remove
Entfernen
Supprimer
削除

removed
Removed: {title}
Entfernt: {title}
Supprimé : {title}
{remove}：{title}

undo
Undo
Rückgängig
Annuler
元に戻す

price_changed
The price changed.
Preis geändert.
Prix modifié.
価格が変わりました。

links
Open each product at {to}.
Jedes Produkt bei {to} öffnen.
Ouvrir chaque produit chez {to}.
{to} で開いてください。

subtotal
Subtotal
Zwischensumme
Sous-total
小計

title
Your cart
Ihr Warenkorb
Votre panier
カート

as_of
Prices as of {time}
Preise: {time}
Prix : {time}
価格：{time}

clear
Empty this cart
Warenkorb leeren
Vider ce panier
空にする

no
No, try again
Nein, noch einmal
Non, réessayer
いいえ、もう一度

clear_yes
Yes, empty it
Ja
Oui
はい

clear_no
No, keep it
Nein
Non
いいえ

limit
At most {n}.
Höchstens {n}.
{n} maximum.
{n}点まで

later
Save for later
Für später merken
Mettre de côté
あとで買う

go
Continue to {to} with {items}
{items}: weiter zu {to}
Continuer vers {to} : {items}
{to} へ：{items}

yes
Yes, start a new cart
Ja, neuer Warenkorb
Oui, nouveau panier
はい、新しいカート

busy
Busy, trying again.
Überlastet, neuer Versuch.
Occupé, nouvel essai.
混雑中。再送します。

offline
Offline. It is kept and sent later.
Offline. Wird später gesendet.
Hors ligne. Envoi plus tard.
オフライン。後で送ります。

failed
That did not work. {detail}
Fehler: {detail}
Erreur : {detail}
エラー：{detail}

dismiss
Dismiss
{close}
{close}
{close}
`;

/** By column, names first: what the build puts in place of this module, because it travels in fewer bytes so. */
export const columns = [0, 1, 2, 3, 4].map((column) => words.trim().split("\n\n").map((block) => block.split("\n")[column]).join("~")).join("~~");
