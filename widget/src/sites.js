/** The Flask sites whose carts a page shows, one for each script tag, and which of them an element belongs to. */
/** @import { SiteOptions } from "./types.d.ts" */
/** @import { Api } from "./api.js" */
/** @import { Store } from "./store.js" */
/** @import { CartFace } from "./elements/cart.js" */
import { createApi } from "./api.js";
import { createStorage } from "./storage.js";
import { createStore } from "./store.js";
import { textsFor } from "./texts.js";

/** @typedef {SiteOptions & { api: Api, state: Store, faces: Set<CartFace> }} Site `faces`: the elements that show it, in the order they came */

/** @type {Site[]} */
const sites = [];
const REFRESH_EVERY = 300_000;

/** @param {SiteOptions} options */
export function addSite(options) {
  const { base } = options;
  if (sites.some((site) => site.base == base)) return;
  const storage = createStorage();
  const prefix = `ecscart:${base}:`;
  const bearer = new URL(base).origin != location.origin;
  const faces = /** @type {Set<CartFace>} */ (new Set());
  const api = createApi({ base, bearer, storage, prefix, language: () => [...faces][0]?.dialog.lang });
  const store = createStore({ api, storage, prefix, locks: navigator.locks, tell: (...told) => faces.forEach((cart) => cart.tell(...told)) });
  /** @param {{ type?: string, key?: string }} event Another tab, the connection, leaving the page and coming back to it. */
  const wake = ({ type, key = prefix + "kept" }) => {
    if (!key?.startsWith(prefix)) return;
    store.changed();
    if (type != "storage") store.flush(!!type);
    if (key.endsWith("kept")) faces.forEach((cart) => cart.load());
  };

  for (const type of ["focus", "online", "pageshow", "visibilitychange", "storage"]) addEventListener(type, /** @type {any} */ (wake));
  addEventListener("securitypolicyviolation", (event) => faces.forEach((cart) => cart.violated(event)));
  setInterval(wake, REFRESH_EVERY, {});
  sites.push({ ...options, api, state: store, faces });
  store.flush();
  // Elements that stood there before find out whether they are its.
  for (const site of sites) for (const cart of site.faces) cart.connect();
}

/** The site an element's `src` or link points into, else the page's first. @param {Element} element @returns {Site} */
export function siteOf(element) {
  const address = element.getAttribute("src") || element.querySelector("a")?.href;
  return sites.find(({ base }) => address?.startsWith(base)) || sites[0];
}

/** The words for an element, in the language that holds where it stands. @param {Element} element */
export const textsOf = (element) => textsFor((element.closest("[lang]") || document.documentElement).getAttribute("lang") || "", siteOf(element).texts);
