/** Entries of the outbox: how they are named, and how they travel together. */
/** @import { Batch, Entry, Item, Line, StorageLike } from "./types.d.ts" */

const MAX_LINES = 50;
const MAX_QUANTITY = 999;

/** @param {StorageLike} storage @param {string} name @returns {any} null where it is not ours */
export function readJson(storage, name) {
  try {
    return JSON.parse(storage.getItem(name) || "null");
  } catch {
    return null;
  }
}

/** A line names its item by its first field. @param {Line} line @returns {(item: Item | Line) => boolean} */
export function named(line) {
  const [[field, value]] = Object.entries(line);
  return (item) => item[/** @type {"asin"} */ (field)] == value;
}

/**
 * Puts an entry into a request: ten clicks on + are one.
 * @param {Batch} batch changed in place
 * @param {Entry} entry
 * @returns {unknown} false when it needs a request of its own
 */
export function fold({ items, kind, locale }, { line, ...entry }) {
  if (kind != entry.kind || locale != entry.locale || !line) return false;
  const found = items.find(named(line));
  if (!found) return items.length < MAX_LINES && items.push({ ...line });
  const sum = (found.quantity || 0) + (line.quantity || 0);
  Object.assign(found, line);
  if (kind == "add") found.quantity = Math.min(sum, MAX_QUANTITY);
  if (found.quantity === 0) delete found.area;
  return true;
}
