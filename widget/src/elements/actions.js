/** What the shopper does in the drawer, by the id of what was clicked, typed into or submitted. */
/** @import { Item, View } from "../types.d.ts" */
/** @import { Ui } from "./views.js" */
import { emit } from "../dom.js";
import { lineOf } from "../project.js";
import { lineKey } from "./views.js";

/**
 * @param {HTMLElement} host
 * @param {Ui} ui
 * @param {Record<string, () => void>} more what the cart element does itself
 * @returns {(target: HTMLInputElement) => void}
 */
export function createActions(host, ui, more) {
  const { removed } = ui;
  // What is acted on: set before each action.
  /** @type {HTMLInputElement} */
  let target;
  /** @type {View} */
  let view;
  /** @type {Item} */
  let item;
  let [key, locale] = ["", ""];

  /** @param {import("../types.d.ts").Line} line what is new of it */
  const change = (line) => ui.store.put("set", locale, { asin: item.asin, ...line });

  /** @param {number} quantity */
  function setQuantity(quantity) {
    if (!quantity) {
      removed.set(key, { item, saved: view.saved.includes(item) });
      ui.aim = "undo:" + key;
    }
    change({ quantity });
  }

  /** @param {"arrived" | "failed"} outcome */
  function answer(outcome) {
    removed.clear();
    ui.sent = "";
    ui.store.put("handoff", locale, undefined, outcome);
  }

  /** @type {typeof more} */
  const actions = {
    ...more,
    less: () => setQuantity(item.quantity - 1),
    more: () => setQuantity(item.quantity + 1),
    type() {
      const { value, defaultValue } = target;
      target.value = defaultValue;
      if (/^\d+$/.test(value) && +value != item.quantity) setQuantity(+value);
    },
    remove: () => setQuantity(0),
    later() {
      ui.aim = "move:" + key;
      change({ area: "saved" });
    },
    move() {
      ui.aim = "later:" + key;
      change({ area: "active" });
    },
    undo() {
      const { item, saved } = /** @type {{ item: Item, saved: boolean }} */ (removed.get(key));
      removed.delete(key);
      ui.aim = (saved ? "move:" : "type:") + key;
      ui.store.put("add", locale, lineOf(item));
      if (saved) ui.store.put("set", locale, { asin: item.asin, area: "saved" });
    },
    ask() {
      ui.asking = locale;
      ui.aim = "keep:" + locale;
    },
    keep() {
      ui.asking = "";
      ui.aim = "ask:" + locale;
    },
    clear() {
      ui.asking = "";
      removed.clear();
      ui.store.put("clear", locale);
    },
    dismiss: () => ui.store.dismiss(key),
    leave() {
      const mode = view.handoff?.mode;
      ui.sent += target.id + " ";
      // The other modes lead over an address of the site itself, which sees the shopper leave.
      if (mode == "form") ui.store.put("handoff", locale, undefined, "left");
      emit(host, "handoff", { locale, mode, count: view.count });
    },
    arrived: () => answer("arrived"),
    failed: () => answer("failed"),
  };

  return (done) => {
    target = done;
    const [action, ...rest] = done.id.split(":");
    [locale] = rest;
    key = rest.join(":");
    view = ui.store.view(locale);
    item = /** @type {Item} */ ([...view.items, ...view.saved].find((line) => lineKey(line, view) == key));
    actions[action]();
  };
}
