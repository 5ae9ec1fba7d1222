/** What the drawer shows. What happens is in actions.js, found by ids such as "more:US:B000000001". */
/** @import { Handoff, Item, View } from "../types.d.ts" */
/** @import { Store } from "../store.js" */
/** @import { Text } from "../texts.js" */
import { h, safeUrl } from "../dom.js";
import { keyOf } from "../project.js";

const HOUR = 3_600_000;
const MAX_LINES = 50;
/** For every link out. Never noreferrer: the retailer has to know where the shopper comes from. */
const OUT = { target: "_blank", rel: "sponsored nofollow noopener" };

/**
 * @typedef {object} Ui what the views know
 * @property {Text} t
 * @property {Store} store of the site
 * @property {string} base of the site
 * @property {Map<string, { item: Item, saved: boolean }>} removed by key: can be undone while the drawer is open
 * @property {string} sent ids of the ways that were taken, a space after each
 * @property {string} asking the locale whose emptying waits for a yes
 * @property {boolean} blocked the page's policy forbids the form
 * @property {string} aim the id that gets the focus once it is drawn
 */

// Drawing is synchronous: these hold for the drawer and the section that are being drawn.
/** @type {Ui} */
let ui;
/** @type {Text} */
let t;
/** @type {View} */
let view;

/** A line in its cart. @param {Item} item */
export const lineKey = (item, { locale } = view) => locale + ":" + keyOf(item);

/**
 * A button that does something, or is disabled without losing the focus.
 * @param {string} name tag and classes @param {string} id what it does, a colon, and to what
 * @param {string} text @param {string} [label] @param {unknown} [off]
 */
const act = (name, id, text, label, off) => h(name, { id, "aria-label": label, "aria-disabled": off && "true" }, text);
/** @param {string} id @param {string} label */
const cross = (id, label) => act("button.icon", id, "×", label);
/** @param {unknown} kids */
const small = (kids) => h("p.small", {}, kids);

/** Prices are shown for an hour and gone when older. */
const hasPrices = () => Date.now() - Date.parse(view.asOf || "") < HOUR;

/** @param {string} key @param {Item} item */
function stepper(key, { quantity, limit = 999, title }) {
  const full = quantity >= limit;
  return [
    h(
      "div.stepper",
      {},
      act("button", "less:" + key, "−", t("less", { title })),
      h("input.quantity", { id: "type:" + key, inputmode: "numeric", maxlength: 3, "aria-label": t("quantity", { title }), value: quantity }),
      act("button", "more:" + key, "+", t("more", { title }), full),
    ),
    full && small(t("limit", { n: limit })),
  ];
}

/** @param {boolean} saved @returns {(item: Item) => HTMLElement} */
const row = (saved) => (item) => {
  const { available, seller, price, image, url, title, asin } = item;
  const key = lineKey(item);
  // The tagged link, where there is one: the way out that cannot break.
  const href = safeUrl(view.handoff?.links.find((link) => link.asin == asin)?.url || url, ui.base);
  /** @param {string} name @param {boolean} [off] */
  const link = (name, off) => act("button.link", name + ":" + key, t(name), t(name) + ": " + title, off);
  return h(
    "li.item",
    { id: key },
    h("img.image", { src: safeUrl(image, ui.base), alt: "" }),
    h("div.head", {}, h("a.name", { href, ...OUT }, title), price && hasPrices() && h("strong.price", {}, price.formatted)),
    seller && seller != view.store && small(seller),
    h("div.row", {}, saved ? link("move", !available) : [stepper(key, item), link("later")], link("remove"), !available && small(t("gone"))),
  );
};

/** Where a line was removed, the way to take that back. */
const undoable = () =>
  [...ui.removed].map(([key, { item }]) => {
    const text = t("removed", { title: item.title });
    return key == lineKey(item) && h("li.sum.small", { id: "removed" + key }, text, act("button", "undo:" + key, t("undo"), t("undo") + ": " + text));
  });

function total() {
  const { subtotal, pending, asOf } = view;
  if (!subtotal || !hasPrices()) return;
  const time = new Date(asOf || "").toTimeString().slice(0, 5); // not Intl, which costs milliseconds when first used
  return [h("p.subtotal.sum", {}, t("subtotal"), h("strong", {}, pending ? "…" : subtotal.formatted)), small(t("asOf", { time }))];
}

/** How a cart leaves: the shopper's own click on a form or link that names the retailer. @param {Handoff} handoff */
const ways = ({ retailer: to, mode, parts }) =>
  parts.map(({ action, fields, count }, index) => {
    const { pending, locale } = view;
    const id = `leave:${locale}:${index}`;
    const many = parts[1];
    const text = (many && ui.sent.includes(id + " ") ? "✓ " : "") + t(many ? "part" : "go", { i: index + 1, k: parts.length, n: count, to });
    const href = safeUrl(action, ui.base);
    const off = pending && "true";
    // A ticket is a link, which no form-action policy of the page can stop.
    if (mode != "form") return h("a.go", { ...OUT, id, href, "aria-disabled": off }, text);
    const inputs = Object.entries(fields).map(([name, value]) => h("input", { type: "hidden", name, value }));
    return h("form", { ...OUT, id, action: href }, inputs, h("button.go", { "aria-disabled": off }, text));
  });

/** @param {Handoff} handoff */
function leaving(handoff) {
  const { leftAt, leftCount, parts, mode, disclosure, disclaimer, retailer: to } = handoff;
  const { locale, pending, items } = view;
  const shut = ui.blocked && mode == "form";
  return h(
    "div.handoff",
    {},
    leftAt &&
      h("div.ask", {}, h("p", {}, t("asked", { n: leftCount, to })), act("button.yes", "arrived:" + locale, t("yes"), "", pending), act("button", "failed:" + locale, t("no"), "", pending)),
    items[0] && !shut && (!leftAt || parts[1]) && ways(handoff),
    shut && h("p", {}, t("failed", { message: t("links", { to }) })),
    mode == "links" && h("p", {}, t("links", { to })),
    small(disclosure),
    small(disclaimer),
  );
}

function clearing() {
  const { locale } = view;
  const text = t("clear");
  if (ui.asking != locale) return act("button.link.clear", "ask:" + locale, text);
  return h("div.row", { role: "group", "aria-label": text }, text + "?", act("button", "clear:" + locale, t("clearYes")), act("button", "keep:" + locale, t("clearNo")));
}

/** @param {string} locale */
function section(locale) {
  view = ui.store.view(locale);
  const { handoff, store, items, saved } = view;
  const id = "cart" + locale;
  const lines = [items.map(row(false)), undoable()].flat().filter(Boolean);
  const any = lines[0] || saved[0];
  return (
    (any || handoff?.leftAt) &&
    h(
      "section.section",
      { id: locale, "aria-labelledby": id },
      h("h3", { id }, store),
      items.length + saved.length >= MAX_LINES && small(t("limit", { n: MAX_LINES })),
      h("ul", {}, lines),
      saved[0] && h("div.saved", {}, h("h4", {}, t("saved")), h("ul", {}, saved.map(row(true)))),
      total(),
      handoff && leaving(handoff),
      any && clearing(),
    )
  );
}

/** What is to be told, in one live region: only what is new in it is announced. @param {Ui} ui */
const told = ({ t, store: { busy, notices } }) => [
  busy && h("div.notice", { id: "busy" }, t("busy")),
  notices.map(({ id, key, title, values }) => h("div.notice.sum", { id }, (title ? title + ": " : "") + (t(key, values) || values.message), cross("dismiss:" + id, t("dismiss")))),
];

/** @param {Ui} now @returns {HTMLElement[]} */
export function drawer(now) {
  ui = now;
  t = ui.t;
  const { loaded, locales } = ui.store;
  const sections = locales().map(section).filter(Boolean);
  return [
    h("div.header.sum", {}, h("h2.title", { id: "title", tabindex: -1 }, t("title")), cross("close:", t("close"))),
    h("div.body", {}, h("div", { role: "status" }, told(ui), h("p.vh", {}, t("items", { n: ui.store.count() }))), sections[0] ? sections : h("p.empty", {}, loaded ? t("empty") : "…")),
  ];
}

/** @param {Ui} ui what is told beside the page while the drawer is closed @returns {HTMLElement[]} */
export const toast = (ui) => [h("div", {}, told(ui), act("button", "view:", ui.t("view")))];
