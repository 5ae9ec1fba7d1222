/** Registers the two elements; a second script on the page leaves the first one's alone. */
/** @import { Context } from "./elements/cart.js" */
import { addToCartElement } from "./elements/add-to-cart.js";
import { cartElement } from "./elements/cart.js";

/** @param {Context} context @param {CustomElementRegistry} [registry] */
export function define(context, registry = customElements) {
  if (registry.get("ecs-cart")) return;
  registry.define("ecs-cart", cartElement(context));
  registry.define("ecs-add-to-cart", addToCartElement(context));
}
