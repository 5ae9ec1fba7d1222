/** What the shopper does in the drawer and in what is told, by the id of what was clicked, typed into or submitted. */
/** @import { Item, View } from "../types.d.ts" */
/** @import { Ui } from "./views.js" */
import { emit } from "../dom.js";
import { lineOf } from "../outbox.js";
import { lineKey } from "./views.js";

/**
 * @param {HTMLElement} host
 * @param {Ui} ui
 * @param {Record<string, () => void>} more what the cart element does itself
 * @param {(title: string) => void} added tells that an item is in the cart
 * @returns {(target: HTMLInputElement) => void}
 */
export function createActions(host, ui, more, added) {
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
  const change = (line) => ui.state.put("set", locale, lineOf(item, line));

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
    ui.state.put("handoff", locale, { outcome });
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
      ui.state.put("add", locale, lineOf(item, { quantity: item.quantity }));
      if (saved) ui.state.put("set", locale, lineOf(item, { area: "saved" }));
    },
    async choose() {
      const [, asin, quantity, note] = key.split(":");
      const title = target.textContent || asin;
      ui.state.drop(note);
      ui.aim = "title";
      if (!(await ui.state.put("add", locale, { asin, quantity: +quantity }))) added(title);
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
      ui.state.put("clear", locale);
    },
    dismiss: () => ui.state.drop(key),
    leave() {
      const mode = view.handoff?.mode;
      ui.sent += target.id + " ";
      // The other modes lead over an address of the site itself, which sees the shopper leave.
      if (mode == "form") ui.state.put("handoff", locale, { outcome: "left" });
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
    view = ui.state.viewOf(locale);
    item = /** @type {Item} */ ([...view.items, ...view.saved].find((line) => lineKey(line, view) == key));
    actions[action]();
  };
}
