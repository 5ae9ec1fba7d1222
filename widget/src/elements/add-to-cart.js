/** `<ecs-add-to-cart asin locale quantity offer-listing-id src>`: the author's own link or button, put to work in place. */
import { emit, h, takeOver } from "../dom.js";
import { lineOf, same } from "../outbox.js";
import { siteOf, textsOf } from "../sites.js";

const SHOWN_FOR = 3_000;

export class EcsAddToCart extends HTMLElement {
  // Where the site refuses this page the author's own link is the way.
  #parts = takeOver(this, () => !siteOf(this).api.refused && void this.add());

  connectedCallback() {
    const { button, control } = this.#parts;
    if (control() == button) button.textContent = textsOf(this)("add");
    // A framework may put its link in later: it gets the focus before it is used.
    this.addEventListener("focusin", control);
  }

  /** Adds what the attributes say now; fulfilled when the server has it or refuses it. */
  async add() {
    const { state: store, faces, base, locale: ours } = siteOf(this);
    const get = (/** @type {string} */ name) => this.getAttribute(name) || undefined;
    const locale = get("locale") || ours;
    const quantity = Number(get("quantity") || 1);
    const item = { asin: get("asin"), offerListingId: get("offer-listing-id"), quantity, locale };
    if (!emit(this, "add", item)) return;
    // Where the author put no cart, one without a button: for the drawer and what is to be told.
    if (!faces.size) document.body.append(h("ecs-cart", { headless: "", src: base }));
    this.setAttribute("state", "busy");
    const refused = await store.put("add", locale, lineOf(item, { quantity }));
    this.setAttribute("state", refused ? "error" : "added");
    setTimeout(() => this.removeAttribute("state"), SHOWN_FOR);
    if (refused) return; // the cart tells what, and why
    const cart = store.viewOf(locale);
    // A line that is not there was refused or moved, which the server's notice tells.
    const line = cart.items.find(same(item));
    if (line) [...faces][0]?.added(line.title);
    emit(this, "added", { ...item, cart });
  }
}
