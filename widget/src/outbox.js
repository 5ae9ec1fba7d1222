/**
 * What the shopper did and the server has not yet confirmed, kept in localStorage.
 *
 * One storage item per request, so that tabs never overwrite each other. A tab sends and folds its own
 * requests only; what a dead tab left behind is taken over once it is old enough that nobody folds into it.
 * Two tabs may then send the same key with the same body, which the server takes for one.
 */
/** @import { Change, Line, Outbox, Request, StorageLike } from "./types.d.ts" */

const FOLD_FOR = 5_000;
const ORPHAN_AFTER = 10_000;
const KEEP_FOR = 86_400_000;
const MAX_LINES = 50;
const MAX_QUANTITY = 999;

/** @param {Line} a @param {Line} b */
const sameLine = (a, b) => a.asin == b.asin && a.offerListingId == b.offerListingId && a.cartItemId == b.cartItemId;

/**
 * Puts a change into a request that is not sent yet: ten clicks on + are one request.
 * @param {Request} request changed in place
 * @param {Change} change
 * @returns {boolean} false when it has to become a request of its own
 */
export function fold(request, { kind, line }) {
  const { items } = request;
  if (request.kind != kind || !items || !line) return false;
  const found = items.find((item) => sameLine(item, line));
  if (!found) {
    if (items.length >= MAX_LINES) return false;
    items.push({ ...line });
  } else if (kind == "add") {
    found.quantity = Math.min((found.quantity || 0) + (line.quantity || 0), MAX_QUANTITY);
  } else {
    Object.assign(found, line);
    if (!found.quantity && found.quantity != null) delete found.area;
  }
  return true;
}

/** @param {string | null} text @returns {Request | null} */
function parse(text) {
  try {
    const request = JSON.parse(text || "null");
    return request && request.key && request.locale && request.kind && request.at > 0 ? request : null;
  } catch {
    return null;
  }
}

/**
 * @param {object} options
 * @param {StorageLike} options.storage
 * @param {string} options.prefix of our keys in the storage
 * @param {string} options.tab survives a reload, so that the next page sends at once what this one left
 * @param {() => number} [options.now]
 * @param {() => string} [options.uuid]
 * @returns {Outbox}
 */
export function createOutbox({ storage, prefix, tab, now = Date.now, uuid = () => crypto.randomUUID() }) {
  const own = prefix + "q:";
  /** @type {Map<string, Request>} */
  const all = new Map();
  let last = 0;

  /** @param {Request} request */
  const save = (request) => {
    all.set(request.key, request);
    storage.setItem(own + request.key, JSON.stringify(request));
  };
  /** @param {string} key */
  const drop = (key) => {
    all.delete(key);
    storage.removeItem(own + key);
  };
  /** @param {Request} request */
  const isMine = (request) => request.tab == tab || now() - request.at > ORPHAN_AFTER;
  /** @param {string} locale */
  const of = (locale) => [...all.values()].filter((request) => request.locale == locale).sort((a, b) => a.at - b.at);

  for (let i = storage.length; i--; ) {
    const name = storage.key(i);
    if (!name?.startsWith(own)) continue;
    const request = parse(storage.getItem(name));
    if (request && now() - request.at < KEEP_FOR) {
      request.sent = true; // of a page that is gone: perhaps it was; never folded into again
      all.set(request.key, request);
    } else storage.removeItem(name);
  }

  return {
    of,
    drop,
    restore: save,

    put(locale, change) {
      const mine = of(locale).filter((request) => request.tab == tab && !request.sent);
      if (change.kind == "clear") for (const request of mine.splice(0)) drop(request.key);
      const open = mine.at(-1);
      if (open && now() - open.at < FOLD_FOR && fold(open, change)) {
        save(open);
        return open.key;
      }
      const { kind, line, outcome } = change;
      last = Math.max(now(), last + 1); // two changes within a millisecond keep their order
      /** @type {Request} */
      const request = { key: uuid(), locale, at: last, tab, kind, items: line && [{ ...line }], outcome };
      save(request);
      return request.key;
    },

    take(locale) {
      const request = of(locale).find(isMine);
      if (request && !request.sent) {
        request.sent = true;
        save(request);
      }
      return request;
    },

    mine: () => [...new Set([...all.values()].filter(isMine).map((request) => request.locale))],
    locales: () => [...new Set([...all.values()].map((request) => request.locale))],

    /** Another tab wrote or removed a request: it shows here too, and is sent there. */
    seen(storageKey, value) {
      if (!storageKey.startsWith(own)) return;
      const request = parse(value);
      if (request) all.set(request.key, request);
      else all.delete(storageKey.slice(own.length));
    },
  };
}
