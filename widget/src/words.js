/**
 * The widget's words: a key, then the text in English, German, French and Japanese, a line each.
 * "one|other" forms are chosen by {n}; the name of another text in braces stands for that text.
 * Where English says "{message}", the server's own words are used, which the owner can change there.
 */
export const words = `
title
Your cart
Ihr Warenkorb
Votre panier
カート

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

dismiss
Dismiss
{close}
{close}
{close}

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

subtotal
Subtotal
Zwischensumme
Sous-total
小計

asOf
Prices as of {time}
Preise: {time}
Prix : {time}
価格：{time}

clear
Empty this cart
Warenkorb leeren
Vider ce panier
空にする

clearYes
Yes, empty it
Ja
Oui
はい

clearNo
No, keep it
Nein
Non
いいえ

go
Continue to {to} with {items}
{items}: weiter zu {to}
Continuer vers {to} : {items}
{to} へ：{items}

part
Part {i} of {k}: {items} to {to}
{i}/{k}: {items} zu {to}
{i}/{k} : {items} vers {to}
{i}/{k}：{items}を {to} へ

links
Open each product at {to}.
Jedes Produkt bei {to} öffnen.
Ouvrir chaque produit chez {to}.
{to} で開いてください。

asked
Did your {items} arrive at {to}?
Sind Ihre Artikel bei {to} angekommen?
Articles bien arrivés chez {to} ?
{to} のカートに入りましたか？

yes
Yes, start a new cart
Ja, neuer Warenkorb
Oui, nouveau panier
はい、新しいカート

no
No, try again
Nein, noch einmal
Non, réessayer
いいえ、もう一度

busy
Busy or offline, trying again.
Überlastet oder offline, neuer Versuch.
Occupé ou hors ligne, nouvel essai.
混雑中。再送します。

failed
That did not work. {message}
Fehler: {message}
Erreur : {message}
エラー：{message}

refused
{message}
{failed}
{failed}
{failed}

quantity_capped
{message}
{requested} gewünscht; dieser Verkäufer erlaubt {actual}.
{requested} demandés ; ce vendeur en autorise {actual}.
この出品者は{actual}点までです。

saved_for_later
{message}
{saved}: {gone}
{saved} : {gone}
{saved}：{gone}

moved_to_cart
{message}
Wieder verfügbar.
De nouveau disponible.
再入荷しました。

cart_renewed
{message}
Abgelaufener Warenkorb neu gefüllt.
Panier expiré, de nouveau rempli.
期限切れのカートを入れ直しました。
`;
