/** The script tag's own file: says which site it comes from. The first on a page brings the elements; no globals. */
import { parse } from "./attempt.js";
import { EcsAddToCart } from "./elements/add-to-cart.js";
import { EcsCart } from "./elements/cart.js";

const here = import.meta.url;
// A module has no document.currentScript: the tag is known by its address.
const { locale = "US", texts = "{}" } = [...document.scripts].find(({ src }) => src == here)?.dataset || {};
const defined = /** @type {typeof EcsCart | undefined} */ (customElements.get("ecs-cart"));

(defined || EcsCart).addSite({ base: new URL(".", here).href.slice(0, -1), locale, texts: parse(texts) || {} });
if (!defined) {
  customElements.define("ecs-cart", EcsCart);
  customElements.define("ecs-add-to-cart", EcsAddToCart);
}
