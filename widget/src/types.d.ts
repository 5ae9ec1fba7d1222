/** The JSON contract, version 1 (flask_ecscart/web/schemas.py), and the widget's own shapes. */
export interface Money { amount: number; currency: string; formatted: string }
export interface Item {
  asin: string; title: string; url: string; quantity: number; available: boolean;
  cartItemId?: string; offerListingId?: string; image?: string; limit?: number; linkNote?: string;
  price?: Money; itemTotal?: Money; priceAsOf?: string; priceHidden?: boolean; deal?: string; priceNote?: string; seller?: string;
}
/** What can be chosen of a product that comes in several kinds. */
export interface Choice {
  asin: string; title: string; choice: string; url: string; available: boolean;
  image?: string; price?: Money; priceAsOf?: string; deal?: string; priceNote?: string;
}
export interface Notice {
  id: number; code: string; message: string; asin?: string; title?: string; requested?: number; actual?: number;
  choices?: Choice[];
}
export interface HandoffPart { action: string; fields: Record<string, string>; count: number }
export interface ItemLink { asin: string; title: string; url: string; quantity: number; linkNote: string }
export interface Handoff {
  mode: "form" | "links" | "purchase_url" | "demo" | "off"; method: "get";
  action: string | null; fields: Record<string, string>; parts: HandoffPart[]; links: ItemLink[];
  retailer: string; disclosure: string; disclaimer: string | null; note: string | null;
  leftAt: string | null; leftCount: number;
}
export interface Cart {
  locale: string; store: string; items: Item[]; saved: Item[]; count: number; subtotal: Money | null;
  notices: Notice[]; pending: boolean; asOf: string | null; version: number; handoff: Handoff | null;
  stays: string | null;
}

/** A line of a request, as it goes over the wire. */
export interface Line {
  asin?: string; offerListingId?: string; cartItemId?: string; quantity?: number; area?: "active" | "saved"; outcome?: "left" | "arrived" | "failed";
}
/** What one click did. Never changed once it is stored. */
export interface Entry {
  kind: "add" | "set" | "clear" | "handoff"; locale: string; line?: Line;
}
/** The entries that travel as one HTTP request, under one Idempotency-Key (the first id), until it is answered. */
export interface Batch {
  ids: string[]; kind: Entry["kind"]; locale: string; items: Line[];
  tries: number; until: number;
}
/** A cart with what waits in the outbox laid over it. `pending`: the server has not confirmed all of it. */
export type View = Cart;
/** Something to tell the shopper: the server's words, else a text of ours by its name. */
export interface Note {
  id: string; title?: string; message?: string; name?: string; values?: Record<string, unknown>;
  choices?: Choice[]; quantity?: number; locale?: string;
}

/** The storage of a page: what it does not take is kept as long as the page. */
export interface StorageLike { names(): string[]; read(name: string): any; write(name: string, value: unknown): void; erase(name: string): void }
/** What is thrown for a request that failed: `status` 0 when there was no usable answer, the rest as the server said it. */
export interface Failure { status: number; code?: string; detail?: string; retryAfter?: string | null; choices?: Choice[] }
/** What a script tag brings: where its Flask site is, and what its owner wrote. */
export interface SiteOptions { base: string; locale: string; texts: OwnTexts }
/** Texts by key, in place of ours. */
export type OwnTexts = Record<string, string>;
