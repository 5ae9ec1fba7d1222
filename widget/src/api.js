/** The JSON endpoints: one function per call, every failure an ApiError. */
/** @import { Answer, Api, Cart } from "./types.d.ts" */

const TIMEOUT = 15_000;

export class ApiError extends Error {
  /**
   * @param {number} status 0 when there was no usable answer
   * @param {{code?: string, detail?: string, title?: string}} problem
   * @param {number | null} retryAfter seconds
   */
  constructor(status, problem = {}, retryAfter = null) {
    super(problem.detail || problem.title || "");
    this.status = status;
    this.code = problem.code || (status ? "http_" + status : "network");
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later; 409 with a time means our key is being worked on right now. */
  get transient() {
    const { status } = this;
    return !status || status == 408 || status == 425 || status == 429 || status > 499 || (status == 409 && this.retryAfter != null);
  }
}

/**
 * @param {string | number | null | undefined} value of Retry-After
 * @returns {number | null} seconds, at most two minutes; null when it says nothing we can use
 */
export const seconds = (value) => (value != null && value !== "" && +value >= 0 ? Math.min(+value, 120) : null);

/** @param {any} cart @returns {cart is Cart} */
const isCart = (cart) => !!cart && Array.isArray(cart.items) && Array.isArray(cart.saved);

/**
 * @param {object} options
 * @param {string} options.base where the blueprint is, without a slash at the end
 * @param {boolean} options.bearer another origin: a token in a header instead of the cookie
 * @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} options.storage
 * @param {string} options.prefix of our keys in the storage
 * @param {typeof globalThis.fetch} [options.fetch]
 * @returns {Api}
 */
export function createApi({ base, bearer, storage, prefix, fetch = globalThis.fetch.bind(globalThis) }) {
  const tokenKey = prefix + "token";
  /** @type {Promise<void> | null} */
  let issuing = null;

  /** @param {string} method @param {string} path @param {{body?: unknown, key?: string, check?: (data: any) => boolean}} [options] */
  async function call(method, path, { body, key, check } = {}) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    const token = bearer && storage.getItem(tokenKey);
    if (token) headers.Authorization = "Bearer " + token;
    if (key) headers["Idempotency-Key"] = key;
    if (method != "GET") headers["Content-Type"] = "application/json";
    let response, data;
    try {
      response = await fetch(base + "/v1/" + path, {
        method,
        headers,
        body: body ? JSON.stringify(body) : undefined,
        credentials: bearer ? "omit" : "same-origin",
        cache: "no-store",
        keepalive: !!key, // a change that was clicked survives leaving the page
        signal: AbortSignal.timeout(TIMEOUT),
      });
      data = await response.json().catch(() => null);
    } catch {
      throw new ApiError(0);
    }
    const retryAfter = seconds(response.headers.get("Retry-After") ?? data?.retryAfter);
    // A token that is no longer good: the next change begins a new shopper.
    if (token && response.status == 401) storage.removeItem(tokenKey);
    if (!response.ok) throw new ApiError(response.status, data || {}, retryAfter);
    // A proxy's page with status 200 is no answer: the change stays in the outbox.
    if (check && !check(data)) throw new ApiError(0);
    return { data, retryAfter };
  }

  /** A token before the first change, asked for once however many changes wait for it. */
  const shopper = () =>
    (issuing ??= call("POST", "shopper", { body: {} })
      .then(({ data }) => {
        if (data?.token) storage.setItem(tokenKey, data.token);
      })
      .finally(() => {
        issuing = null;
      }));

  /**
   * @param {string} method @param {string} path @param {unknown} body @param {string} key
   * @returns {Promise<Answer<Cart>>}
   */
  async function change(method, path, body, key, again = true) {
    if (bearer && !storage.getItem(tokenKey)) await shopper();
    try {
      return await call(method, path, { body, key, check: isCart });
    } catch (error) {
      if (!(bearer && again && error instanceof ApiError && error.status == 401)) throw error;
      return change(method, path, body, key, false);
    }
  }

  return {
    carts: () => call("GET", "carts", { check: (data) => !!data?.carts && Object.values(data.carts).every(isCart) }),
    cart: (locale) => call("GET", "carts/" + locale, { check: isCart }),
    mayKnow: () => !bearer || !!storage.getItem(tokenKey),
    send({ kind, locale, key, items, outcome }) {
      const path = "carts/" + encodeURIComponent(locale);
      if (kind == "handoff") return change("POST", path + "/handoff", { outcome }, key);
      if (kind == "clear") return change("DELETE", path + "/items", undefined, key);
      return change(kind == "add" ? "POST" : "PATCH", path + "/items", { items }, key);
    },
  };
}
