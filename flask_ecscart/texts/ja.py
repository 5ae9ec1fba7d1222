"""The words in Japanese."""

from __future__ import annotations

__all__ = ["WORDS"]


WORDS: dict[str, str] = {
    # --- the widget's
    "cart": "カート",
    "title": "カート",
    "empty": "カートは空です。",
    "add": "カートに入れる",
    "view": "カートを見る",
    "stale": "このリンクのカートは、その後変更されたか、すでに送信されています。"
    "元のページに戻ってカートを開いてください。",
    "quantity": "{title} の数量",
    "limit": "注文できるのは{n}点までです。",
    "later": "あとで買う",
    "saved": "あとで買う商品",
    "move": "カートに戻す",
    "gone": "現在お取り扱いできません",
    "remove": "削除",
    "subtotal": "小計",
    "as_of": "{time} 時点の価格",
    "failed": "うまくいきませんでした。{detail}",
    "clear": "このカートを空にする",
    "clear_ask": "このカートの商品をすべて削除しますか？",
    "clear_yes": "はい、空にする",
    "go": "{to} に進む（{n}点）",
    "part": "{k}回中{i}回目：{n}点を {to} へ",
    "links": "{to} で商品を1つずつ開く",
    "asked": "{n}点の商品は {to} のカートに入りましたか？",
    "yes": "はい、新しいカートを始める",
    "no": "いいえ、もう一度試す",
    # --- notices
    "quantity_capped": "{requested}点のご希望でしたが、この出品者から購入できるのは{actual}点までです。",
    "quantity_capped_total": "{requested}点のご希望でしたが、1つのカートに入れられるのは同じ商品{actual}点までです。",
    "saved_for_later": "現在お取り扱いできないため「あとで買う商品」に入れました。入荷すると自動でカートに戻ります。",
    "moved_to_cart": "再びお取り扱いできるようになり、カートに戻しました。",
    "refused": "この商品をカートに入れられませんでした：{reason}",
    "refused_ineligible": "ここでは単品で購入できません（種類を選ぶ必要があるか、デジタル商品です）。",
    "refused_inaccessible": "この出品者は対象外です。",
    "refused_unknown": "このショップでは取り扱いがありません。",
    "refused_other": "ストアが受け付けませんでした。",
    "too_many": "カートに入れられるのは{n}種類までです。先に1つ削除してください。",
    "cart_renewed": "カートの有効期限が切れていたため、商品を入れ直しました。",
    # --- the way out
    "demo_retailer": "Demo Store",
    "note": "{to} が新しいタブで開きます。サインインを求められる場合があります。お支払いが済むまで購入にはなりません。",
    "parts_note": "商品は{k}回に分けて {to} に送ります。すべて送信してください。",
    "sent_ask": "{to} からお戻りですか？商品が {to} のカートに入っていれば、こちらで新しいカートを始められます。",
    "paid": "（有料リンク）",
    "off": "このカートはここから {to} に送れません。",
    # --- the pages
    "confirm": "{to} のカートに入れますか？",
    "pieces": "数量",
    "pieces_wrong": "数量は1から999までの整数で入力してください。",
    "waits": "現在お取り扱いできません。「あとで買う商品」に入ります。",
    "each": "1点 {price}",
    "update": "更新",
    "form_old": "このフォームは期限切れか、お客様のものではありません。"
    "前のページに戻って再読み込みし、もう一度お試しください。",
    "away": "現在カートが応答しません。内容は失われていません。しばらくしてからもう一度お試しください。",
    "pending": "カートを更新しています。しばらくしてからページを再読み込みしてください。",
    "offer": "商品名のない出品",
    # --- prices
    "price_as_of": "{time} 時点",
    "moment": "{year}年{month}月{day}日 {time} UTC",
    "prime_exclusive": "プライム会員限定",
    "prime_early_access": "プライム会員先行",
    "price_hidden": "価格は {to} でご確認ください",
    "choose": "お選びください：",
}
