/**
 * The carts of one shopper on one page: sends what waits, keeps what was answered, tells what happened. No DOM.
 *
 * The outbox is what the shopper did and the server has not yet confirmed, in the storage all tabs share. Each click
 * is an item of its own that is never changed, so tabs cannot overwrite each other. Only who holds the lock takes
 * from it: the first entries that fit into one request are written down as the batch under way, with its
 * Idempotency-Key, before it is sent, so that whoever repeats it repeats just that.
 */
/** @import { Batch, Cart, Entry, Failure, Item, Line, Note, StorageLike, View } from "./types.d.ts" */
/** @import { Api } from "./api.js" */
import { fold, keyOf } from "./outbox.js";
import { project } from "./project.js";

const KEEP_FOR = 86_400_000;
/** Where each kind of change goes. @type {Record<string, [method: string, path: string]>} */
const WAYS = { add: ["POST", "items"], set: ["PATCH", "items"], clear: ["DELETE", "items"], handoff: ["POST", "handoff"] };

/** @typedef {ReturnType<typeof createStore>} Store */

/**
 * @param {object} options
 * @param {Api} options.api
 * @param {StorageLike} options.storage
 * @param {string} options.prefix of our names in the storage
 * @param {(type: string, detail?: {}, note?: Note) => void} options.tell
 * @param {Pick<LockManager, "request">} [options.locks] of all tabs; without it each tab is on its own
 * @param {number} [options.fold] milliseconds in which more clicks of a kind may come, and travel together
 * @param {number} [options.retry] milliseconds until the first next try
 * @param {number} [options.most] milliseconds until the next try at most
 * @param {number} [options.orphan] milliseconds after which a change of another tab is sent from here
 */
export function createStore({ api, storage, prefix, tell, locks, fold: folding = 500, retry = 1_000, most = 30_000, orphan = 5_000 }) {
  const sending = prefix + "sending";
  let carts = /** @type {Record<string, Cart>} */ ({});
  const seen = /** @type {Record<string, Item>} */ ({});
  const waiting = /** @type {Map<string, (error?: Failure) => void>} */ (new Map());
  /** What outlives the page, by locale: pieces, and the last notice that was told. @returns {Record<string, [number, number]>} */
  const kept = () => storage.read(prefix + "kept") || {};
  /** @param {{}} all */
  const keep = (all) => storage.write(prefix + "kept", all);
  let [polls, last, alone] = [0, 0, 0];
  let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  let reading = /** @type {Promise<unknown> | null} */ (null);
  let tail = /** @type {Promise<unknown>} */ (Promise.resolve());

  /** One at a time over all tabs, changes and readings alike: no answer overtakes another. @param {() => Promise<unknown>} work */
  const inTurn = (work) => (locks ? locks.request(prefix, work) : (tail = tail.then(work)));

  const store = {
    /** What the shopper is to be told, until it is dismissed. @type {Note[]} */
    notes: [],
    /** The name of what is said while the server does not answer: what is shown may be behind. */
    busy: "",
    loaded: false,
    /** @param {string} locale @returns {View} */
    viewOf: (locale) => project(carts[locale], locale, entries(), seen, kept()[locale]?.[0]),
    /** Locales that may have something to show. */
    locales: () => [...new Set([...Object.keys(kept()), ...entries().map(({ locale }) => locale)])],
    /** Pieces in all carts, from the last answers and the outbox: no request. */
    pieces: () => store.locales().reduce((sum, locale) => sum + store.viewOf(locale).count, 0),
    /**
     * Shows a change at once and sends it. Fulfilled when the server has it, with the reason when it does not want it.
     * @param {Entry["kind"]} kind @param {string} locale @param {Line} [line] of a hand-off, how it came out
     * @returns {Promise<Failure | undefined>}
     */
    put(kind, locale, line) {
      last = Math.max(Date.now(), last + 1); // two within a millisecond keep their order
      const id = `${prefix}did:${last}${Math.random()}`; // not randomUUID: a page without https has none
      storage.write(id, { kind, locale, line, at: last });
      // More clicks of the kind may come, and travel together.
      later(kind == "set" ? folding : 0);
      changed();
      return new Promise((resolve) => waiting.set(id, resolve));
    },
    /** @param {Note} note in place of one with the same id @param {string} [type] of the event that tells it @param {{}} [detail] of the event */
    say(note, type, detail) {
      store.drop(note.id);
      store.notes.push(note);
      if (type) tell(type, detail, note);
    },
    /** @param {string} [id] of a note; all of them without */
    drop(id) {
      store.notes = store.notes.filter((note) => id && note.id != id);
      changed();
    },
    /** Asks for every cart; one reading at a time. */
    load: () => (reading ??= inTurn(readAll)),
    /** Sends what waits, in order. @param {boolean} [force] without waiting out the pause after a failure */
    flush(force) {
      clearTimeout(timer);
      // A lock that is asked for while the page is left keeps it out of the back-forward cache.
      if (entries()[0]) return inTurn(async () => {
        for (let batch, pause; (batch = take()); force = false) {
          pause = force || batch.until <= Date.now() ? await deliver(batch) : batch.until - Date.now();
          if (pause) return later(pause);
        }
      });
    },
    /** Another tab wrote our storage, or this page slept meanwhile. */
    changed() {
      settle();
      changed();
      setTimeout(store.flush, orphan);
    },
  };
  /** What waits, in the order it was made; drops what is too old, and what is not ours. @returns {(Entry & { id: string })[]} */
  const entries = () =>
    storage.names().sort().flatMap((id) => {
      if (!id.startsWith(prefix + "did:")) return [];
      const entry = storage.read(id);
      if (entry?.at > Date.now() - KEEP_FOR) return { ...entry, id };
      storage.erase(id);
      return [];
    });

  /** @param {Batch} batch as it is to be found by whoever sends it next */
  const hold = (batch) => storage.write(sending, batch);

  /** @param {string[]} ids of a batch that was answered, or refused for good */
  const done = (ids) => [...ids, sending].forEach((name) => storage.erase(name));

  /** The batch under way, else a new one. @returns {Batch | undefined} */
  function take() {
    const begun = storage.read(sending);
    if (begun?.ids && storage.read(begun.ids[0])) return begun;
    const [first, ...rest] = entries();
    if (!first) return;
    const { id, line, kind, locale } = first;
    /** @type {Batch} */
    const batch = { kind, locale, ids: [id], items: line ? [line] : [], tries: 0, until: 0 };
    for (const entry of rest) {
      if (alone-- > 0 || !fold(batch, entry)) break;
      batch.ids.unshift(entry.id);
    }
    hold(batch);
    return batch;
  }

  const changed = () => tell("change", { count: store.pieces() });

  /** @param {number} delay */
  function later(delay) {
    clearTimeout(timer);
    timer = setTimeout(store.flush, delay);
  }

  /** Answers those whose changes are no longer in the outbox, whichever tab sent them. @param {Failure} [error] why they were refused */
  function settle(error) {
    for (const [id, resolve] of waiting) {
      if (!storage.read(id) && waiting.delete(id)) resolve(error);
    }
  }

  /** @param {Cart} cart */
  function accept(cart) {
    const { locale, items, saved, count, notices, pending } = cart;
    const all = kept();
    let told = all[locale]?.[1] || 0;
    if (told > (notices.at(-1)?.id ?? told)) told = 0; // a new shopper's notices count from one again
    carts[locale] = cart;
    for (const item of [...items, ...saved]) {
      const { price, title } = item;
      const id = locale + keyOf(item);
      const before = seen[id]?.price;
      seen[id] = item;
      if (before && price && before.amount != price.amount) store.say({ id, title, name: "price_changed" });
    }
    for (const notice of notices) {
      const { id, asin, code, title, message, choices, requested } = notice;
      if (id <= told) continue;
      told = id;
      store.say({ id: locale + code + asin, title, message, choices, quantity: requested }, "notice", { locale, notice });
    }
    keep({ ...all, [locale]: [count, told] });
    // The remote cart is behind: ask again, so that what it made of the wish is told.
    polls = pending ? polls + 1 : 0;
    if (pending) setTimeout(store.load, retry * polls);
    changed();
  }

  /** @param {Batch} batch @returns {Promise<number>} how long to wait before the next one */
  async function deliver(batch) {
    const { ids, locale, tries, kind, items } = batch;
    const [line = {}] = items;
    try {
      const [method, path] = WAYS[kind];
      const cart = await api.call(method, `carts/${locale}/${path}`, line.outcome ? line : items[0] && { items }, ids[0]);
      done(ids);
      store.busy = "";
      accept(cart);
      settle();
      return 0;
    } catch (thrown) {
      const error = /** @type {Failure} */ (thrown);
      const { detail: message, status, code, retryAfter, choices } = error;
      // A token can be replaced, and what has a time will pass.
      const retrying = !/^4(?!01|29)/.test(String(status)) || !!retryAfter;
      const detail = { ...error, locale, retrying };
      if (retrying) {
        const pause = Math.min(Number(retryAfter) * 1000 || retry * 2 ** tries, most);
        hold({ ...batch, tries: tries + 1, until: Date.now() + pause });
        busy(status);
        tell("error", detail);
        return pause;
      }
      if (ids[1]) {
        // One of them is at fault: the others go in, each by itself.
        alone = ids.length;
        storage.erase(sending);
        return 0;
      }
      done(ids);
      settle(error);
      store.say({ id: locale + code + keyOf(line), locale, message, name: "failed", choices, quantity: line.quantity }, "error", detail);
      return 0;
    }
  }

  /** @param {number} status of an answer that is none */
  const busy = (status) => (store.busy = status ? "busy" : "offline");

  async function readAll() {
    reading = null;
    try {
      /** @type {Record<string, Cart>} */
      const found = api.mayKnow() ? (await api.call("GET", "carts")).carts : {};
      const all = kept();
      carts = {};
      for (const locale in all) if (!found[locale]) delete all[locale];
      keep(all);
      store.loaded = true;
      if (!entries()[0]) store.busy = "";
      Object.values(found).forEach(accept);
    } catch (error) {
      busy(/** @type {Failure} */ (error).status);
      setTimeout(store.load, most);
    }
    changed();
  }

  return store;
}
