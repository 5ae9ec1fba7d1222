/** What the drawer shows. What happens is in actions.js, found by ids such as "more:US:B000000001". */
/** @import { Handoff, Item, View } from "../types.d.ts" */
/** @import { Store } from "../store.js" */
/** @import { Text } from "../texts.js" */
import { safeUrl } from "../attempt.js";
import { h } from "../dom.js";
import { keyOf } from "../outbox.js";

const HOUR = 3_600_000;
const MAX_LINES = 50;
const MAX_QUANTITY = 999;
/** For every link out. Never noreferrer: the retailer has to know where the shopper comes from. */
const OUT = { target: "_blank", rel: "sponsored nofollow noopener" };

/**
 * @typedef {object} Ui what the views know
 * @property {Text} t
 * @property {Store} state of the carts of the site
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
const act = (name, id, text, label, off) => h(name, { id, "aria-label": label, "aria-disabled": off }, text);
/** @param {string} id @param {string} label */
const cross = (id, label) => act("button.icon", id, "×", label);
/** @param {unknown} kids */
const small = (kids) => kids && h("p.small", {}, kids);

/** @param {...unknown} notes what is falsy is left out */
const joined = (...notes) => notes.filter(Boolean).join(" · ");

/** Prices are shown for an hour and gone when older. @param {string | null | undefined} asOf */
const isFresh = (asOf = view.asOf) => Date.now() - Date.parse(asOf || "") < HOUR;
/** @param {string | null | undefined} time */
const stamp = (time) => time && t("as_of", { time: new Date(time).toTimeString().slice(0, 5) }); // not Intl, which costs milliseconds when first used

/** @param {string} key @param {Item} item */
function stepper(key, { quantity, limit, title }) {
  const most = limit || MAX_QUANTITY;
  const full = quantity >= most;
  return [
    h(
      "div.stepper",
      {},
      act("button", "less:" + key, "−", t("less", { title })),
      h("input.quantity", { id: "type:" + key, inputmode: "numeric", maxlength: 3, "aria-label": t("quantity", { title }), value: quantity }),
      act("button", "more:" + key, "+", t("more", { title }), full),
    ),
    (limit || full) && small(t("limit", { n: most })),
  ];
}

/** @param {boolean} saved @returns {(item: Item) => HTMLElement} */
const row = (saved) => (item) => {
  const { available, seller, price, image, title, asin, priceNote, priceAsOf } = item;
  const key = lineKey(item);
  // The tagged link, where there is one: the way out that cannot break.
  const { url, linkNote } = view.handoff?.links.find((link) => link.asin == asin) || item;
  const href = safeUrl(url, ui.base);
  const shown = price && isFresh(priceAsOf);
  /** @param {string} name @param {boolean} [off] */
  const link = (name, off) => act("button.link", name + ":" + key, t(name), t(name) + ": " + title, off);
  return h(
    "li.item",
    { id: key },
    h("img.image", { src: safeUrl(image, ui.base), alt: "" }),
    h("div.sum", {}, h("a.name", { href, ...OUT }, title), shown && h("strong.price", {}, price.formatted)),
    small(joined(seller != view.store && seller, (shown || !price) && priceNote, shown && stamp(priceAsOf), linkNote)),
    h("div.row", {}, saved ? link("move", !available) : [stepper(key, item), link("later")], link("remove"), !available && small(t("gone"))),
  );
};

/** Where a line was removed, the way to take that back. */
const undoable = () =>
  [...ui.removed].map(([key, { item }]) => {
    const text = t("removed", { title: item.title });
    return key == lineKey(item) && h("li.sum.small", {}, text, act("button", "undo:" + key, t("undo"), t("undo") + ": " + text));
  });

function total() {
  const { subtotal, pending, asOf } = view;
  if (!subtotal || !isFresh()) return;
  return [h("p.subtotal.sum", {}, t("subtotal"), h("strong", {}, pending ? "…" : subtotal.formatted)), small(stamp(asOf))];
}

/** How a cart leaves: the shopper's own click on a form or link that names the retailer. @param {Handoff} handoff */
const ways = ({ retailer: to, mode, parts }) =>
  parts.map(({ action, fields, count }, index) => {
    const { pending, locale } = view;
    const id = `leave:${locale}:${index}`;
    const many = parts[1];
    const text = t("go", { n: count, to }) + (many ? ` (${index + 1}/${parts.length})${ui.sent.includes(id + " ") ? " ✓" : ""}` : "");
    const href = safeUrl(action, ui.base);
    // A ticket is a link, which no form-action policy of the page can stop.
    if (mode != "form") return h("a.go", { ...OUT, id, href, "aria-disabled": pending }, text);
    const inputs = Object.entries(fields).map(([name, value]) => h("input", { type: "hidden", name, value }));
    return h("form", { ...OUT, id, action: href }, inputs, h("button.go", { "aria-disabled": pending }, text));
  });

/** @param {Handoff} handoff */
function leaving(handoff) {
  const { leftAt, leftCount, parts, mode, note, disclosure, disclaimer, retailer: to } = handoff;
  const { locale, pending, items } = view;
  const shut = ui.blocked && mode == "form";
  const detail = t("links", { to });
  return h(
    "div.handoff",
    {},
    leftAt &&
      h("div.ask", {}, h("p", {}, t("asked", { n: leftCount, to })), act("button.yes", "arrived:" + locale, t("yes"), "", pending), act("button", "failed:" + locale, t("no"), "", pending)),
    items[0] && !shut && (!leftAt || parts[1]) && ways(handoff),
    (shut || mode == "links") && h("p", {}, shut ? t("failed", { detail }) : detail),
    [items[0] && note, disclosure, disclaimer].map(small),
  );
}

function clearing() {
  const { locale } = view;
  const text = t("clear");
  if (ui.asking != locale) return act("button.link.clear", "ask:" + locale, text);
  return h("div.row", { role: "group", "aria-label": text }, text + "?", act("button", "clear:" + locale, t("clear_yes")), act("button", "keep:" + locale, t("clear_no")));
}

/** @param {string} locale */
function section(locale) {
  view = ui.state.viewOf(locale);
  const { handoff, store, items, saved, stays } = view;
  const lines = [items.map(row(false)), undoable()].flat().filter(Boolean);
  const any = lines[0] || saved[0];
  return (
    (any || handoff?.leftAt) &&
    h(
      "section.section",
      { id: locale, "aria-label": store },
      h("h3", {}, store),
      items.length + saved.length >= MAX_LINES && small(t("full", { n: MAX_LINES })),
      h("ul", {}, lines),
      saved[0] && h("div.saved", {}, h("h4", {}, t("saved")), h("ul", {}, saved.map(row(true)))),
      total(),
      handoff ? leaving(handoff) : small(stays),
      any && clearing(),
    )
  );
}

/** What is to be told, in one live region: only what is new in it is announced. @param {Ui} ui */
const told = ({ t, state: { busy, notes } }) => [
  busy && h("div.notice", {}, t(busy)),
  notes.map(({ id, title, message, name = "", values, choices, locale, quantity }) =>
    h(
      "div.notice",
      { id },
      h("div.sum", {}, (title ? title + ": " : "") + (message || t(name, values)), cross("dismiss:" + id, t("dismiss"))),
      choices?.[0] &&
        h(
          "div.row",
          { role: "group", "aria-label": message },
          choices.map(({ asin, choice, price, priceNote }) =>
            act("button", `choose:${locale}:${asin}:${quantity || 1}:${id}`, joined(choice, price?.formatted, priceNote)),
          ),
        ),
    ),
  ),
];

/** @param {Ui} now @returns {HTMLElement[]} */
export function drawer(now) {
  ui = now;
  t = ui.t;
  const { loaded, locales } = ui.state;
  const sections = locales().map(section).filter(Boolean);
  return [
    h("div.header.sum", {}, h("h2.title", { id: "title", tabindex: -1 }, t("title")), cross("close:", t("close"))),
    h("div.body", {}, h("div", { role: "status" }, told(ui), sections[0] ? small(t("items", { n: ui.state.pieces() })) : loaded && h("p.empty", {}, t("empty"))), sections),
  ];
}

/** @param {Ui} ui what is told beside the page while the drawer is closed @returns {HTMLElement[]} */
export const toast = (ui) => [h("div", {}, told(ui), act("button", "view:", ui.t("view")))];
