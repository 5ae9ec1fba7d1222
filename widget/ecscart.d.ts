/** Types for pages that talk to the elements of ecscart.js from TypeScript. */
import type { Cart, Notice } from "./src/types.d.ts";

export interface EcsItem {
  asin?: string;
  offerListingId?: string;
  quantity: number;
  locale: string;
}

/** `<ecs-cart src>`: the count button and the drawer. */
export interface EcsCartElement extends HTMLElement {
  open(): void;
  close(): void;
  readonly count: number;
}

/** `<ecs-add-to-cart asin locale quantity offer-listing-id src>`; its `state` attribute is busy, added or error. */
export interface EcsAddToCartElement extends HTMLElement {
  add(): Promise<void>;
}

export interface EcsEventMap {
  /** Before an item is added; `preventDefault()` keeps it out. */
  "ecs:add": CustomEvent<EcsItem>;
  /** The server has it. */
  "ecs:added": CustomEvent<EcsItem & { cart: Cart }>;
  /** Something the shopper is told once; `preventDefault()` keeps it from being shown. */
  "ecs:notice": CustomEvent<{ locale: string; notice: Notice }>;
  /** A cart may look different now; `count` is the pieces of all carts. */
  "ecs:change": CustomEvent<{ count: number }>;
  "ecs:open": CustomEvent<null>;
  "ecs:close": CustomEvent<null>;
  /** The shopper leaves for the retailer. */
  "ecs:handoff": CustomEvent<{ locale: string; mode: string; count: number }>;
  /** A request failed; `retrying` says that it is kept and sent again, `status` is 0 where there was no answer. */
  "ecs:error": CustomEvent<{ locale: string; status: number; code?: string; detail?: string; retrying: boolean }>;
}

declare global {
  interface HTMLElementTagNameMap {
    "ecs-cart": EcsCartElement;
    "ecs-add-to-cart": EcsAddToCartElement;
  }
  interface DocumentEventMap extends EcsEventMap {}
  interface HTMLElementEventMap extends EcsEventMap {}
}
