/** The JSON contract, version 1 (flask_ecscart/web/schemas.py), and the widget's own shapes. */
export interface Money { amount: number; currency: string; formatted: string }
export interface Item {
  asin: string; title: string; url: string; quantity: number; available: boolean;
  cartItemId?: string; offerListingId?: string; image?: string; limit?: number;
  price?: Money; itemTotal?: Money; seller?: string;
}
export interface Notice {
  id: number; code: string; message: string; asin?: string; requested?: number; actual?: number;
}
export interface HandoffPart { action: string; fields: Record<string, string>; count: number }
export interface ItemLink { asin: string; title: string; url: string; quantity: number }
export interface Handoff {
  mode: "form" | "links" | "purchase_url" | "demo" | "off"; method: "get";
  action: string | null; fields: Record<string, string>; parts: HandoffPart[]; links: ItemLink[];
  retailer: string; disclosure: string | null; disclaimer: string | null;
  leftAt: string | null; leftCount: number;
}
export interface Cart {
  locale: string; store: string; items: Item[]; saved: Item[]; count: number; subtotal: Money | null;
  notices: Notice[]; pending: boolean; asOf: string | null; version: number; handoff: Handoff | null;
}

/** A line of a request, as it goes over the wire. */
export interface Line {
  asin?: string; offerListingId?: string; cartItemId?: string; quantity?: number; area?: "active" | "saved";
}
export type Outcome = "left" | "arrived" | "failed";
/** What one click did. Never changed once it is stored. */
export interface Entry {
  kind: "add" | "set" | "clear" | "handoff"; locale: string; line?: Line; outcome?: Outcome;
}
/** The entries that travel as one HTTP request, under one Idempotency-Key (the first id), until it is answered. */
export interface Batch {
  ids: string[]; kind: Entry["kind"]; locale: string; items: Line[]; outcome?: Outcome;
  tries: number; until: number;
}
/** A cart with what waits in the outbox laid over it. `pending`: the server has not confirmed all of it. */
export type View = Cart;
/** Something to tell the shopper, in the language of whoever shows it. */
export interface Note { id: string; key: string; title?: string; values: Record<string, string | number | undefined> }

export type StorageLike = Pick<Storage, "getItem" | "setItem" | "removeItem">;
/** What is thrown for a request that failed: `status` 0 when there was no usable answer, the rest as the server said it. */
export interface Failure { status: number; code?: string; detail?: string; retryAfter?: string | null }
/** What a script tag brings: where its Flask site is, and what its owner wrote. */
export interface SiteOptions { base: string; locale: string; texts: OwnTexts }
/** Texts by key, in place of ours. */
export type OwnTexts = Record<string, string>;
