/** What the drawer shows, as virtual nodes. What happens is in drawer.js. */
/** @import { Item, VChild, View } from "../types.d.ts" */
/** @import { Store } from "../store.js" */
/** @import { Text } from "../texts.js" */
import { h, safeUrl, typing } from "../dom.js";
import { OUT, disabled, handoffView } from "./handoff.js";

/** @typedef {{ item: Item, area: "items" | "saved", index: number }} Removed */
/** @typedef {"ask" | "no" | "yes"} Step of emptying a cart */
/**
 * @typedef {object} Ui what the views know and may do
 * @property {Text} t
 * @property {Store} store
 * @property {string} base
 * @property {Map<string, Removed>} removed by locale and line: can be undone while the drawer is open
 * @property {Set<string>} asking locales whose emptying waits for a yes
 * @property {Set<string>} sentParts
 * @property {{ key: string, text: string }[]} notes
 * @property {boolean} unreachable
 * @property {boolean} waiting
 * @property {() => void} shut
 * @property {() => void} retry
 * @property {(key: string) => void} dismiss
 * @property {(view: View, item: Item, quantity: number) => void} setQuantity
 * @property {(view: View, item: Item) => void} takeOut
 * @property {(locale: string, key: string) => void} undo
 * @property {(view: View, item: Item, area: "active" | "saved") => void} moveTo
 * @property {(locale: string, step: Step) => void} emptyCart
 * @property {(view: View, index: number) => void} leave
 * @property {(locale: string, outcome: "arrived" | "failed") => void} answer
 */

const HOUR = 3_600_000;
const CROSS = "M6 6l12 12M18 6L6 18";
const CART = "M3 4h2l2.4 11.2h10.4L20.5 8H6M9 20h.01M17 20h.01";

/** @param {string} d */
const icon = (d) => h("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d }));
/** @param {string} label @param {() => void} onclick */
const cross = (label, onclick) => h("button.icon", { "aria-label": label, onclick }, icon(CROSS));

/** @param {Item} item what stays the same when its CartItemId comes or its area changes */
export const keyOf = (item) => item.offerListingId || item.asin;
/** @param {Item} item */
export const titleOf = (item) => item.title || item.asin || "…";
/** @param {Item} item */
export const mostOf = (item) => Math.min(item.limit ?? 999, 999);

/** @param {string | null} asOf @returns {string} the time here, with the day when it is another one */
function timeOf(asOf) {
  const date = new Date(asOf || NaN);
  // Local time in ISO 8601, without Intl, which costs milliseconds when first used.
  const [day, time] = new Date(+date - date.getTimezoneOffset() * 60_000).toISOString().split("T");
  return (date.toDateString() == new Date().toDateString() ? "" : day + " ") + time.slice(0, 5);
}

/** Prices are shown for an hour and gone when older. @param {View} view */
const hasPrices = ({ asOf }) => !!asOf && Date.now() - Date.parse(asOf) < HOUR;

/** @param {Ui} ui @param {View} view @param {Item} item */
function stepper({ t, setQuantity }, view, item) {
  const { quantity } = item;
  const title = titleOf(item);
  const most = mostOf(item);
  /** @param {"less" | "more"} name @param {string} sign @param {number} to @param {boolean} off */
  const step = (name, sign, to, off) => h("button", { key: name, "aria-label": t(name, { title }), ...disabled(off), onclick: () => off || setQuantity(view, item, to) }, sign);
  return h(
    "div.stepper",
    {},
    step("less", "−", quantity - 1, quantity < 2),
    h("input.quantity", {
      "data-f": "quantity:" + keyOf(item),
      inputmode: "numeric",
      autocomplete: "off",
      maxlength: 3,
      "aria-label": t("quantity", { title }),
      value: quantity,
      /** @param {InputEvent & { target: HTMLInputElement }} event */
      oninput: ({ target }) => typing.add(target),
      /** @param {Event & { target: HTMLInputElement }} event */
      onchange({ target }) {
        typing.delete(target);
        const typed = /^\d+$/.test(target.value) ? +target.value : quantity;
        target.value = String(Math.min(typed, most) || quantity);
        if (typed != quantity) setQuantity(view, item, typed);
      },
    }),
    step("more", "+", quantity + 1, quantity >= most),
  );
}

/** @param {Ui} ui @param {View} view @param {Item} item @param {boolean} saved */
function row(ui, view, item, saved) {
  const { t, base } = ui;
  const { available, seller, price } = item;
  const key = keyOf(item);
  const title = titleOf(item);
  const src = safeUrl(item.image, base);
  const href = safeUrl(item.url, base);
  const id = "gone-" + view.locale + key;
  /** @param {"move" | "later" | "remove"} name @param {() => void} onclick @param {boolean} [off] */
  const link = (name, onclick, off) =>
    h("button.link", { key: name, "data-f": name + ":" + key, "aria-label": t(name) + ": " + title, ...disabled(off), "aria-describedby": off && id, onclick: () => off || onclick() }, t(name));
  return h(
    "li.item",
    { key },
    src ? h("img.image", { src, alt: "", loading: "lazy" }) : h("span.image"),
    h("div.head", {}, h(href ? "a.name" : "span.name", { href, ...(href && OUT) }, title), price && hasPrices(view) && h("span.price", {}, price.formatted)),
    seller && seller != view.handoff?.retailer && h("p.seller.small", {}, seller),
    h(
      "div.row",
      {},
      saved ? link("move", () => ui.moveTo(view, item, "active"), !available) : [stepper(ui, view, item), link("later", () => ui.moveTo(view, item, "saved"))],
      link("remove", () => ui.takeOut(view, item)),
      !available && h("span.gone.small", { id }, t("gone")),
    ),
  );
}

/** Lines, and where one was removed the way to take that back. @param {Ui} ui @param {View} view @param {"items" | "saved"} area */
function list(ui, view, area) {
  const { t } = ui;
  const rows = view[area].map((item) => row(ui, view, item, area == "saved"));
  for (const [key, { item, area: from, index }] of ui.removed) {
    if (key != view.locale + keyOf(item) || from != area) continue;
    const text = t("removed", { title: titleOf(item) });
    const undo = h("button", { "data-f": "undo:" + keyOf(item), "aria-label": t("undo") + ": " + text, onclick: () => ui.undo(view.locale, key) }, t("undo"));
    rows.splice(index, 0, h("li.sum.small", { key: "removed-" + key }, h("span", {}, text), undo));
  }
  return rows.length && h("ul.items", {}, rows);
}

/** @param {Ui} ui @param {View} view */
function total({ t }, view) {
  const { subtotal, busy, asOf } = view;
  if (!subtotal || !hasPrices(view)) return busy && h("p.small", {}, t("updating"));
  return [h("p.subtotal.sum", {}, t("subtotal"), h("strong", {}, busy ? t("updating") : subtotal.formatted)), h("p.as-of.small", {}, t("asOf", { time: timeOf(asOf) }))];
}

/** @param {Ui} ui @param {string} locale */
function clearing({ t, asking, emptyCart }, locale) {
  /** @param {Step} step @param {string} text @param {string} name */
  const button = (step, text, name) => h(name, { key: step, "data-f": step + ":" + locale, onclick: () => emptyCart(locale, step) }, text);
  if (!asking.has(locale)) return h("div.clear", {}, button("ask", t("clear"), "button.link"));
  return h("div.row", { role: "group", "aria-label": t("clearAsk") }, t("clearAsk"), button("yes", t("clearYes"), "button"), button("no", t("clearNo"), "button"));
}

/** @param {Ui} ui @param {string} locale */
function section(ui, locale) {
  const view = ui.store.view(locale);
  const { handoff } = view;
  const items = list(ui, view, "items");
  const saved = list(ui, view, "saved");
  const id = "cart-" + locale;
  const name = handoff?.retailer || locale;
  if (!items && !saved && !handoff?.leftAt) return false;
  return h(
    "section.section",
    { key: locale, "aria-labelledby": id },
    h("h3", { id }, name[0].toUpperCase() + name.slice(1), name != locale && h("span.tag", {}, locale)),
    items,
    saved && h("div.saved", {}, h("h4", {}, ui.t("saved")), saved),
    total(ui, view),
    handoffView(ui, view),
    (items || saved) && clearing(ui, locale),
  );
}

/** @param {Ui} ui */
function notices({ t, store, notes, dismiss, waiting, unreachable, retry }) {
  /** @param {string} key @param {string} text @param {VChild} button */
  const note = (key, text, button) => h("div.notice", { key }, h("span", {}, text), button);
  const stuck = unreachable ? "unreachable" : waiting && "waiting";
  return [
    stuck && note(stuck, t(stuck), h("button", { onclick: retry }, t("retry"))),
    [...notes, ...store.notices()].map(({ key, text }) => note(key, text, cross(t("dismiss"), () => dismiss(key)))),
  ];
}

/** @param {Ui} ui what stands there while no cart does */
function nothing({ t, store, unreachable }) {
  if (store.isLoaded()) return h("div.empty", {}, icon(CART), t("empty"));
  return !unreachable && h("p.empty", {}, t("loading"));
}

/** @param {Ui} ui */
export function drawer(ui) {
  const { t, store } = ui;
  const sections = store.locales().map((locale) => section(ui, locale)).filter(Boolean);
  return [
    h("div.header", {}, h("h2.title", { id: "title", tabindex: -1, "data-f": "title" }, t("title")), cross(t("close"), ui.shut)),
    h("div.body", {}, h("div.notices", { role: "status", "aria-atomic": "false" }, notices(ui)), sections.length ? sections : nothing(ui)),
  ];
}

/** @param {Ui} ui @param {string[]} messages @param {() => void} open @param {() => void} close */
export const toast = ({ t }, messages, open, close) =>
  messages.length && [messages.map((text, key) => h("p", { key }, text)), h("div.row", {}, h("button", { onclick: open }, t("view")), cross(t("dismiss"), close))];
