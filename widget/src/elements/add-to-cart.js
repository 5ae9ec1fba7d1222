/** `<ecs-add-to-cart asin locale quantity offer-listing-id>`: the author's own link or button, put to work in place. */
/** @import { CartFace, Context } from "./cart.js" */
import { actAsButton, emit, isPlain, langOf } from "../dom.js";
import { textsFor } from "../texts.js";
import { titleOf } from "./views.js";

const SHOWN_FOR = 3_000;

/** @param {Context} context @returns {CustomElementConstructor} */
export const addToCartElement = ({ store, locale: defaultLocale, carts }) =>
  class EcsAddToCart extends HTMLElement {
    #running = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #timer;

    connectedCallback() {
      // Before frameworks have put the children in there is nothing to upgrade: the focus comes later.
      this.addEventListener("click", this);
      this.addEventListener("focusin", this);
      if (!this.firstElementChild && !this.textContent?.trim()) this.append(this.#button());
      this.#upgrade();
    }

    /** What is added, from the attributes as they are now. */
    get item() {
      const offerListingId = this.getAttribute("offer-listing-id") || undefined;
      return {
        asin: this.getAttribute("asin") || "",
        offerListingId,
        quantity: Math.min(Math.max(parseInt(this.getAttribute("quantity") || "1") || 1, 1), 999),
        locale: this.getAttribute("locale") || defaultLocale,
      };
    }

    /** Adds the item; fulfilled when the server has it. */
    async add() {
      const { item } = this;
      if (!emit(this, "add", item, true)) return;
      const cart = this.#cart();
      this.#running++;
      this.#show("busy");
      try {
        await store.add(item.locale, item.asin, item.offerListingId, item.quantity);
      } catch {
        // The cart tells what was refused, and why.
        this.#running--;
        this.#show("error");
        return;
      }
      this.#running--;
      if (!this.#running) this.#show("added");
      const answer = store.view(item.locale);
      const line = [...answer.items, ...answer.saved].find(({ asin, offerListingId }) => (item.offerListingId ? offerListingId == item.offerListingId : asin == item.asin));
      // A line that is not there was refused or moved, which the server's notice tells.
      if (line && answer.items.includes(line)) cart.added(textsFor(langOf(this))("added") + " " + titleOf(line));
      emit(this, "added", { ...item, cart: answer });
    }

    /** @param {MouseEvent | FocusEvent} event */
    handleEvent(event) {
      this.#upgrade();
      if (!(event instanceof MouseEvent) || event.defaultPrevented || !isPlain(event)) return;
      if (!(event.target instanceof Element) || !this.#control?.contains(event.target)) return;
      event.preventDefault();
      this.add();
    }

    get #control() {
      return /** @type {HTMLElement | null} */ (this.querySelector("a, button"));
    }

    #button() {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = textsFor(langOf(this))("add");
      return button;
    }

    #upgrade() {
      if (this.#control) actAsButton(this.#control);
    }

    /** The page's cart; where the author put none, one without a button, for the drawer and what is to be told. @returns {CartFace} */
    #cart() {
      const [found] = carts;
      if (found) return found;
      const made = document.createElement("ecs-cart");
      made.setAttribute("headless", "");
      document.body.append(made);
      return [...carts][0];
    }

    /** @param {"busy" | "added" | "error"} state */
    #show(state) {
      clearTimeout(this.#timer);
      this.setAttribute("state", state);
      this.#control?.setAttribute("aria-busy", String(state == "busy"));
      if (state != "busy") this.#timer = setTimeout(() => this.removeAttribute("state"), SHOWN_FOR);
    }
  };
