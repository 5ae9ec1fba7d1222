/** The carts of one shopper on one page: sends what waits, keeps what was answered, tells who listens. No DOM. */
/** @import { Api, Answer, Cart, Change, Channel, Line, Locks, Outbox, Outcome, Request, StorageLike, StoreEvent, View } from "./types.d.ts" */
import { ApiError } from "./api.js";
import { createKept, sum } from "./kept.js";
import { project } from "./project.js";
import { createWaiters } from "./waiters.js";

/** Milliseconds; tests tell them shorter. */
const TIMES = { fold: 350, retry: 1_000, retryMost: 30_000, poll: 1_000, fresh: 2_000 };
const POLLS = 10;

/** @typedef {ReturnType<typeof createStore>} Store */

/**
 * @param {object} options
 * @param {Api} options.api
 * @param {Outbox} options.outbox
 * @param {StorageLike} options.storage
 * @param {string} options.prefix of our keys in the storage
 * @param {Locks} [options.locks] of all tabs; without it each tab is on its own
 * @param {Channel} [options.channel] to the other tabs
 * @param {Partial<typeof TIMES>} [options.times]
 * @param {() => number} [options.now]
 */
export function createStore({ api, outbox, storage, prefix, locks, channel, times, now = Date.now }) {
  const ms = { ...TIMES, ...times };
  const carts = /** @type {Map<string, Cart>} */ (new Map());
  const seen = /** @type {Map<string, Cart["items"]>} lines as they were, in memory only */ (new Map());
  const views = /** @type {Map<string, View>} */ (new Map());
  const notices = /** @type {Map<string, { text: string, locale: string }>} */ (new Map());
  const listeners = /** @type {Set<(event: StoreEvent) => void>} */ (new Set());
  const { settle, wait } = createWaiters(outbox);
  const lanes = /** @type {Map<string, { timer?: ReturnType<typeof setTimeout>, at: number, failures: number, sending: boolean, polls: number, epoch: number }>} */ (new Map());
  let reading = /** @type {Promise<void> | null} */ (null);
  let [readAt, loaded] = [0, false];
  const { kept, recall, save } = createKept(storage, prefix);

  /** @param {StoreEvent} event */
  const emit = (event) => listeners.forEach((listener) => listener(event));
  /** @param {string} locale */
  const lane = (locale) => {
    let found = lanes.get(locale);
    if (!found) lanes.set(locale, (found = { at: 0, failures: 0, sending: false, polls: 0, epoch: 0 }));
    return found;
  };

  /** @param {string} locale @returns {View} */
  const view = (locale) => {
    let found = views.get(locale);
    if (!found) views.set(locale, (found = project(carts.get(locale), locale, outbox.of(locale), seen.get(locale))));
    return found;
  };

  /** Something of this locale changed: count anew and tell. @param {string} locale */
  function changed(locale) {
    views.delete(locale);
    if (carts.has(locale)) kept.counts[locale] = view(locale).count;
    if (!kept.counts[locale]) delete kept.counts[locale];
    save();
    emit({ type: "change", locale });
  }

  /** Notices are told once per browser, and stay listed until dismissed. @param {Cart} cart @param {boolean} quiet */
  function tell({ locale, notices: news }, quiet) {
    const told = kept.told[locale] || 0;
    for (const notice of news) {
      if (!(notice.id > told)) continue;
      kept.told[locale] = Math.max(kept.told[locale] || 0, notice.id);
      if (quiet) continue;
      notices.set(locale + notice.id, { locale, text: notice.message });
      emit({ type: "notice", locale, notice });
    }
  }

  /** @param {Cart} cart @param {{ quiet?: boolean, retryAfter?: number | null }} [options] */
  function accept(cart, { quiet = false, retryAfter = null } = {}) {
    const { locale } = cart;
    const old = carts.get(locale);
    if (old) seen.set(locale, [...old.items, ...old.saved, ...(seen.get(locale) || [])].slice(0, 99));
    carts.set(locale, cart);
    kept.known = true;
    tell(cart, quiet);
    changed(locale);
    if (quiet) return;
    channel?.postMessage({ cart });
    const own = lane(locale);
    if (!cart.pending) own.polls = 0;
    else if (own.polls < POLLS) {
      // The remote cart is behind: ask again, so that what it made of the wish is told.
      setTimeout(() => readOne(locale), Math.max((retryAfter || 0) * 1000, ms.poll) * 1.3 ** own.polls++);
    }
  }

  /** @template T @param {string} name @param {() => Promise<T>} work @returns {Promise<T>} */
  const locked = (name, work) => (locks ? locks.request(prefix + name, work) : work());

  let first = /** @type {Promise<unknown>} */ (Promise.resolve());
  /**
   * Until this browser has a shopper one request goes at a time, whatever its locale,
   * so that two quick clicks of a new visitor meet in one cart.
   * @param {Request} request @returns {Promise<Answer<Cart>>}
   */
  function send(request) {
    if (kept.known) return api.send(request);
    const turn = () => locked("first", () => api.send(request));
    const answer = first.then(turn, turn);
    first = answer;
    return answer;
  }

  /**
   * Without a cart to count, the badge follows what is added and what is refused.
   * @param {Pick<Request, "kind" | "locale" | "items">} request @param {1 | -1} sign
   */
  function count({ kind, locale, items = [] }, sign) {
    if (kind != "add") return;
    for (const { quantity = 0 } of items) kept.counts[locale] = Math.max((kept.counts[locale] || 0) + sign * quantity, 0);
  }

  /** @param {Request} request @param {unknown} thrown @returns {boolean} whether to go on with the next one */
  function failed(request, thrown) {
    const { locale, key } = request;
    const own = lane(locale);
    const error = thrown instanceof ApiError ? thrown : new ApiError(0, { detail: String(thrown) });
    if (error.transient) {
      const wait = error.retryAfter != null ? error.retryAfter * 1000 : ms.retry * 2 ** own.failures;
      own.failures++;
      own.at = now() + Math.min(Math.max(wait, ms.retry), ms.retryMost) * (1 + Math.random() / 5);
      emit({ type: "waiting", locale, error });
      return false;
    }
    outbox.drop(key);
    settle(error);
    if (!carts.has(locale)) count(request, -1);
    changed(locale);
    emit({ type: "error", locale, error });
    if (carts.has(locale)) void readOne(locale);
    return true;
  }

  /** @param {Request} request @returns {Promise<boolean>} whether to go on with the next one */
  async function deliver(request) {
    const own = lane(request.locale);
    try {
      const { data, retryAfter } = await send(request);
      outbox.drop(request.key);
      own.failures = own.at = 0;
      own.epoch++;
      accept(data, { retryAfter });
      settle();
      return true;
    } catch (error) {
      return failed(request, error);
    }
  }

  /**
   * Sends what waits of a locale, in order, one at a time over all tabs.
   * @param {string} locale @param {boolean} [atOnce] without waiting for the other tabs
   */
  async function pump(locale, atOnce) {
    const own = lane(locale);
    if (own.sending) return;
    if (now() < own.at) return later(locale, 0); // timers may come a moment early
    own.sending = true;
    const work = async () => {
      for (let request; (request = outbox.take(locale)) && (await deliver(request)); );
    };
    await (atOnce ? work() : locked(locale, work)).catch(() => {});
    own.sending = false;
    if (outbox.mine().includes(locale)) later(locale, 0);
  }

  /** @param {string} locale @param {number} delay */
  function later(locale, delay) {
    const own = lane(locale);
    clearTimeout(own.timer);
    own.timer = setTimeout(() => pump(locale), Math.max(delay, Math.ceil(own.at - now())));
  }

  /**
   * Shows a change at once and sends it; fulfilled when the server has it, rejected when it refuses.
   * @param {string} locale @param {Change} change @param {number} [delay] in which more of the kind may come
   * @returns {Promise<void>}
   */
  function change(locale, change, delay = 0) {
    const key = outbox.put(locale, change);
    if (!carts.has(locale)) count({ locale, kind: change.kind, items: change.line && [change.line] }, 1);
    changed(locale);
    later(locale, delay);
    return wait(key);
  }

  /** @param {string} locale */
  async function readOne(locale) {
    const { epoch } = lane(locale);
    try {
      const { data, retryAfter } = await api.cart(locale);
      if (epoch == lane(locale).epoch) accept(data, { retryAfter });
    } catch {
      /* The next reading tells. */
    }
  }

  /** @param {Map<string, number>} epochs */
  async function readAll(epochs) {
    const { data, retryAfter } = await api.carts();
    const found = new Set(Object.keys(data.carts));
    kept.known = found.size > 0;
    for (const locale of new Set([...found, ...carts.keys(), ...Object.keys(kept.counts)])) {
      // A change answered meanwhile knows better than a reading that began before it.
      if ((epochs.get(locale) || 0) != (lanes.get(locale)?.epoch || 0)) continue;
      if (found.has(locale)) accept(data.carts[locale], { retryAfter });
      else {
        carts.delete(locale);
        views.delete(locale);
        kept.counts[locale] = view(locale).count;
        changed(locale);
      }
    }
    loaded = true;
    readAt = now();
  }

  return {
    view,
    change,
    /** @param {(event: StoreEvent) => void} listener @returns {() => void} stops it */
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Locales with something to show. */
    locales: () => [...new Set([...carts.keys(), ...outbox.locales()])].sort(),
    /** Pieces in all carts, from the last answers and the outbox: no request. */
    count: () => sum(kept.counts),
    isLoaded: () => loaded,
    isBusy: () => outbox.locales().length > 0,
    isKnown: () => kept.known,
    /** @param {string} locale @param {string} asin @param {string | undefined} offerListingId @param {number} quantity */
    add: (locale, asin, offerListingId, quantity) =>
      change(locale, { kind: "add", line: offerListingId ? { offerListingId, quantity } : { asin, quantity } }),
    /** @param {string} locale @param {Line} line */
    set: (locale, line) => change(locale, { kind: "set", line }, ms.fold),
    /** Tells in the shopper's own click, before the page may be frozen, that the cart leaves. @param {string} locale */
    left(locale) {
      outbox.put(locale, { kind: "handoff", outcome: "left" });
      void pump(locale, true);
    },
    /** @param {string} locale @param {Outcome} outcome */
    outcome: (locale, outcome) => change(locale, { kind: "handoff", outcome }),
    /** @param {string} locale */
    clear: (locale) => change(locale, { kind: "clear" }),
    notices: () => [...notices].map(([key, rest]) => ({ key, ...rest })),
    /** @param {string} key */
    dismiss(key) {
      const locale = notices.get(key)?.locale;
      notices.delete(key);
      if (locale) emit({ type: "change", locale });
    },
    /** Asks for every cart; at most one reading at a time. @param {boolean} [force] even right after the last one */
    refresh(force = false) {
      if (!api.mayKnow()) {
        loaded = true;
        return Promise.resolve();
      }
      if (!force && now() - readAt < ms.fresh) return Promise.resolve();
      reading ??= readAll(new Map([...lanes].map(([locale, { epoch }]) => [locale, epoch]))).finally(() => {
        reading = null;
      });
      return reading;
    },
    /** Sends what waits now. @param {boolean} [force] without waiting out the pause after a failure */
    flush(force = false) {
      for (const locale of outbox.mine()) {
        if (force) lane(locale).at = 0;
        clearTimeout(lane(locale).timer);
        later(locale, 0);
      }
    },
    /** Another tab wrote our storage. @param {string} key @param {string | null} value */
    stored(key, value) {
      if (!key.startsWith(prefix)) return;
      outbox.seen(key, value);
      recall();
      views.clear();
      settle();
      emit({ type: "change", locale: "" });
    },
    /** Another tab has a newer cart. @param {Cart} cart */
    heard(cart) {
      if (cart.version > (carts.get(cart.locale)?.version || 0)) accept(cart, { quiet: true });
    },
    /** The stored counts once more: events of other tabs do not reach a page in the back-forward cache. */
    recall() {
      recall();
      emit({ type: "change", locale: "" });
    },
  };
}
