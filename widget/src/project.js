/** The cart as the shopper left it: what the server said, with the outbox laid over it. */
/** @import { Cart, Entry, Item, Line, View } from "./types.d.ts" */
import { keyOf, same } from "./outbox.js";

/** @param {View} view @param {Line} line @param {Item | undefined} seen */
function add({ items }, line, seen) {
  const { quantity = 0 } = line;
  const item = items.find(same(line));
  if (item) item.quantity += quantity;
  else items.push(/** @type {Item} */ ({ title: line.asin, available: true, ...seen, ...line, quantity }));
}

/** @param {View} view @param {Line} line */
function set({ items, saved }, line) {
  const { quantity, area } = line;
  const from = items.some(same(line)) ? items : saved;
  const to = !area ? from : area == "saved" ? saved : items;
  const item = from.find(same(line));
  if (!item) return;
  item.quantity = quantity ?? item.quantity;
  if (item.quantity && to == from) return;
  from.splice(from.indexOf(item), 1);
  if (item.quantity) to.push(item);
}

/** @param {Item[]} items */
const pieces = (items) => items.reduce((sum, { quantity }) => sum + quantity, 0);

/**
 * @param {Cart | undefined} cart the last one the server sent
 * @param {string} locale
 * @param {Entry[]} entries of all carts, in the order they were made
 * @param {Record<string, Item>} seen lines of earlier carts: how to show what is added again
 * @param {number} [count] what the cart held when this browser last heard of it
 * @returns {View}
 */
export function project(cart, locale, entries, seen = {}, count = 0) {
  const view = /** @type {View} */ ({ store: locale, items: [], saved: [], ...structuredClone(cart), locale });
  let unseen = count - pieces(view.items); // all of it until the cart is known, some when another tab knows better
  for (const { kind, line, ...entry } of entries) {
    if (entry.locale != locale) continue;
    view.pending = true;
    if (kind == "clear") [view.items, view.saved, unseen] = [[], [], 0];
    if (kind == "add" && line) add(view, line, seen[locale + keyOf(line)]);
    if (kind == "set" && line) set(view, line);
  }
  view.count = unseen + pieces(view.items);
  return view;
}
