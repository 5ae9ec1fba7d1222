/** Entries of the outbox: how they are named, and how they travel together. */
/** @import { Batch, Entry, Item, Line } from "./types.d.ts" */

const MAX_LINES = 50;
const MAX_QUANTITY = 999;

/** What of a line stays the same when its CartItemId comes or its area changes. @param {Item | Line} line */
export const keyOf = ({ offerListingId, asin }) => offerListingId || asin || "";

/** @param {Item | Line} line @returns {(other: Item | Line) => boolean} whether it is the same line */
export const same = (line) => (other) => keyOf(other) == keyOf(line);

/** A line by its name, with what is new of it. @param {Line} item @param {Line} [more] @returns {Line} */
export const lineOf = ({ asin, offerListingId }, more) => ({ ...(offerListingId ? { offerListingId } : { asin }), ...more });

/**
 * Puts an entry into a request: ten clicks on + are one.
 * @param {Batch} batch changed in place
 * @param {Entry} entry
 * @returns {unknown} false when it needs a request of its own
 */
export function fold({ items, kind, locale }, { line, ...entry }) {
  if (kind != entry.kind || locale != entry.locale || !line || line.outcome) return false;
  const found = items.find(same(line));
  if (!found) return items.length < MAX_LINES && items.push({ ...line });
  const sum = (found.quantity || 0) + (line.quantity || 0);
  Object.assign(found, line);
  if (kind == "add") found.quantity = Math.min(sum, MAX_QUANTITY);
  if (found.quantity === 0) delete found.area;
  return true;
}
