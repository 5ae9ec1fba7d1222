/** The cart as the shopper left it: what the server said, with the outbox laid over it. */
/** @import { Cart, Item, Line, Request, View } from "./types.d.ts" */

/** @param {Line} line @returns {(item: Item) => boolean} */
const names = (line) => (item) =>
  line.cartItemId
    ? item.cartItemId == line.cartItemId
    : line.offerListingId
      ? item.offerListingId == line.offerListingId
      : item.asin == line.asin;

/** @param {Item[]} items @param {Line} line @param {Item[]} seen */
function add(items, line, seen) {
  const quantity = line.quantity || 0;
  const item = items.find(names(line));
  if (item) item.quantity += quantity;
  else items.push({ asin: "", title: "", url: "", available: true, ...seen.find(names(line)), ...line, quantity });
}

/** @param {Item[]} items @param {Item[]} saved @param {Line} line */
function set(items, saved, line) {
  const from = items.some(names(line)) ? items : saved;
  const index = from.findIndex(names(line));
  const item = from[index];
  if (!item) return;
  if (line.quantity != null) item.quantity = line.quantity;
  const to = line.area ? (line.area == "saved" ? saved : items) : from;
  if (!item.quantity || to != from) from.splice(index, 1);
  if (item.quantity && to != from) to.push(item);
}

/**
 * @param {Cart | undefined} cart the last one the server sent
 * @param {string} locale
 * @param {Request[]} requests in the order they were made
 * @param {Item[]} [seen] lines of earlier carts: how to show what is added again
 * @returns {View}
 */
export function project(cart, locale, requests, seen = []) {
  let items = (cart?.items || []).map((item) => ({ ...item }));
  let saved = (cart?.saved || []).map((item) => ({ ...item }));
  for (const { kind, items: lines = [] } of requests) {
    if (kind == "clear") [items, saved] = [[], []];
    for (const line of lines) {
      if (kind == "add") add(items, line, seen);
      else set(items, saved, line);
    }
  }
  /** @type {Cart} */
  const none = { locale, items, saved, count: 0, subtotal: null, notices: [], pending: false, asOf: null, version: 0, handoff: null };
  const count = cart && !requests.length ? cart.count : items.reduce((sum, item) => sum + item.quantity, 0);
  return { ...(cart || none), items, saved, count, busy: requests.length > 0 || !!cart?.pending };
}

/**
 * How a request names a line: by ASIN where that is enough, because a CartItemId ends with its cart.
 * @param {Cart | View} cart @param {Item} item @returns {Line}
 */
export function nameOf(cart, item) {
  const twins = [...cart.items, ...cart.saved].filter(({ asin }) => asin == item.asin);
  return twins.length > 1 && item.cartItemId ? { cartItemId: item.cartItemId } : { asin: item.asin };
}
