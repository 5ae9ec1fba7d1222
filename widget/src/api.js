/** One function for all JSON endpoints. What goes wrong is thrown as a Failure. */
/** @import { StorageLike } from "./types.d.ts" */

const TIMEOUT = 15_000;

/** @typedef {ReturnType<typeof createApi>} Api */

/**
 * @param {object} options
 * @param {string} options.base where the blueprint is, without a slash at the end
 * @param {boolean} options.bearer another origin: a token in a header instead of the cookie
 * @param {StorageLike} options.storage
 * @param {string} options.prefix of our names in the storage
 * @param {() => string | undefined} [options.language] the language of what the server says
 * @param {typeof globalThis.fetch} [options.fetch]
 */
export function createApi({ base, bearer, storage, prefix, language, fetch = globalThis.fetch }) {
  const name = prefix + "token";

  const api = {
    /** Whether the server turned this page's origin away. */
    refused: false,
    /** Whether this browser may have a shopper at all: a page of another origin has none without a token. */
    mayKnow: () => !bearer || storage.read(name),
    /** @param {string} method @param {string} path @param {{}} [body] @param {string} [key] of a change @returns {Promise<any>} */
    async call(method, path, body, key) {
      if (key && !api.mayKnow()) storage.write(name, (await api.call("POST", "shopper", {})).token);
      /** @type {Record<string, string>} */
      const headers = { "Accept-Language": language?.() || "*", "Content-Type": "application/json" };
      if (bearer) headers.Authorization = "Bearer " + storage.read(name);
      if (key) headers["Idempotency-Key"] = key;
      try {
        var response = await fetch(base + "/v1/" + path, {
          method,
          headers,
          body: body && JSON.stringify(body),
          keepalive: true, // a change that was clicked survives leaving the page
          signal: AbortSignal.timeout(TIMEOUT),
        });
      } catch {
        // The browser does not say why: a server that is there, but not for us, refuses this page's origin.
        api.refused = path == "shopper" && !!(await fetch(base + "/healthz", { mode: "no-cors" }).catch(() => null));
        if (api.refused) console.error(`Flask-ECSCart: ECSCART_ALLOWED_ORIGINS of ${base} lacks ${location.origin}`);
        throw { status: 0 };
      }
      const { ok, status } = response;
      const data = await response.json().catch(() => null);
      // A proxy's page with status 200 is no answer: the change stays in the outbox.
      if (ok && data) return data;
      if (status == 401) storage.erase(name); // no longer good: the next try begins as a new shopper
      throw { ...data, status: ok ? 0 : status, retryAfter: response.headers.get("Retry-After") };
    },
  };
  return api;
}
