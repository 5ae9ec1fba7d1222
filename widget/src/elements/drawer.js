/** What happens in the drawer: state, what the shopper does, what is said aloud. It knows its host by a few functions. */
/** @import { View } from "../types.d.ts" */
/** @import { Store } from "../store.js" */
/** @import { Removed, Ui } from "./views.js" */
import { emit } from "../dom.js";
import { nameOf } from "../project.js";
import { textsFor } from "../texts.js";
import { keyOf, mostOf, titleOf } from "./views.js";

/** What the server refuses is told by the store's error event. @param {Promise<void>} change */
const quietly = (change) => change.catch(() => {});

/**
 * @param {object} options
 * @param {HTMLElement} options.host
 * @param {Store} options.store
 * @param {string} options.base
 * @param {(text: string) => void} options.say aloud
 * @param {(place: string) => void} options.aim the focus at a place, once it is drawn
 * @param {(force?: boolean) => void} options.load
 * @param {() => void} options.later draws again
 * @param {() => void} options.shut
 * @returns {Ui}
 */
export function createUi({ host, store, base, say, aim, load, later, shut }) {
  /** @type {Map<string, Removed>} */
  const removed = new Map();
  /** @param {string} locale */
  const forget = (locale) => [...removed.keys()].forEach((key) => key.startsWith(locale) && removed.delete(key));

  /** @type {Ui} */
  const ui = {
    t: textsFor("en"),
    store,
    base,
    removed,
    asking: new Set(),
    sentParts: new Set(),
    notes: [],
    unreachable: false,
    waiting: false,
    shut,
    retry() {
      store.flush(true);
      load(true);
    },
    dismiss(key) {
      ui.notes = ui.notes.filter((note) => note.key != key);
      store.dismiss(key);
      later();
    },
    setQuantity(view, item, quantity) {
      const { t } = ui;
      const n = Math.min(quantity, mostOf(item));
      if (!n) return ui.takeOut(view, item);
      say(n < quantity ? t("limit", { n }) : t("quantity", { title: titleOf(item) }) + ": " + n);
      quietly(store.set(view.locale, { ...nameOf(view, item), quantity: n }));
    },
    takeOut(view, item) {
      const area = view.items.includes(item) ? "items" : "saved";
      removed.set(view.locale + keyOf(item), { item, area, index: view[area].indexOf(item) });
      aim("undo:" + keyOf(item));
      say(ui.t("removed", { title: titleOf(item) }));
      quietly(store.set(view.locale, { ...nameOf(view, item), quantity: 0 }));
    },
    undo(locale, key) {
      const { item, area } = /** @type {Removed} */ (removed.get(key));
      removed.delete(key);
      aim((area == "saved" ? "move:" : "quantity:") + keyOf(item));
      quietly(store.add(locale, item.asin, item.offerListingId, item.quantity));
      if (area == "saved") quietly(store.set(locale, { asin: item.asin, area }));
    },
    moveTo(view, item, area) {
      const saved = area == "saved";
      aim((saved ? "move:" : "later:") + keyOf(item));
      say(ui.t(saved ? "saved" : "added") + " " + titleOf(item));
      quietly(store.set(view.locale, { ...nameOf(view, item), area }));
    },
    emptyCart(locale, step) {
      ui.asking[step == "ask" ? "add" : "delete"](locale);
      aim({ ask: "no:" + locale, no: "ask:" + locale, yes: "title" }[step]);
      if (step == "yes") {
        forget(locale);
        say(ui.t("empty"));
        quietly(store.clear(locale));
      }
      later();
    },
    leave(view, index) {
      const { mode } = /** @type {NonNullable<View["handoff"]>} */ (view.handoff);
      // The other modes lead over an address of the site itself, which sees the shopper leave.
      if (mode == "form") store.left(view.locale);
      emit(host, "handoff", { locale: view.locale, mode, part: index + 1, count: view.count });
    },
    answer(locale, outcome) {
      forget(locale);
      ui.sentParts.clear();
      aim("title");
      quietly(store.outcome(locale, outcome));
    },
  };
  return ui;
}
