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
  locale: string; items: Item[]; saved: Item[]; count: number; subtotal: Money | null; notices: Notice[];
  pending: boolean; asOf: string | null; version: number; handoff: Handoff | null;
}
/** A cart with what waits in the outbox laid over it. `busy`: the server has not confirmed all of it. */
export interface View extends Cart { busy: boolean }

/** A line of a request, as it goes over the wire. */
export interface Line {
  asin?: string; offerListingId?: string; cartItemId?: string; quantity?: number; area?: "active" | "saved";
}
export type Kind = "add" | "set" | "clear" | "handoff";
export type Outcome = "left" | "arrived" | "failed";
/** What the shopper did: one line, or an outcome. */
export interface Change { kind: Kind; line?: Line; outcome?: Outcome }
/** What waits to be confirmed: sent as one HTTP request under one Idempotency-Key. */
export interface Request {
  key: string; locale: string; at: number; tab: string; kind: Kind; sent?: boolean; items?: Line[]; outcome?: Outcome;
}

export type StorageLike = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;
export interface Answer<T> { data: T; retryAfter: number | null }
export interface Api {
  carts(): Promise<Answer<{ carts: Record<string, Cart> }>>;
  cart(locale: string): Promise<Answer<Cart>>;
  send(request: Request): Promise<Answer<Cart>>;
  /** Whether this browser may have a shopper at all: a page of another origin has none without a token. */
  mayKnow(): boolean;
}
export interface Outbox {
  put(locale: string, change: Change): string;
  restore(request: Request): void;
  take(locale: string): Request | undefined;
  drop(key: string): void;
  of(locale: string): Request[];
  mine(): string[];
  locales(): string[];
  seen(storageKey: string, value: string | null): void;
}
export type StoreEvent =
  | { type: "change"; locale: string }
  | { type: "notice"; locale: string; notice: Notice }
  | { type: "waiting"; locale: string; error: import("./api.js").ApiError }
  | { type: "error"; locale: string; error: import("./api.js").ApiError };
export interface Locks { request<T>(name: string, work: () => Promise<T>): Promise<T> }
export interface Channel { postMessage(message: unknown): void }

/** A virtual node: see dom.js. */
export interface VNode { tag: string; key: unknown; props: Record<string, unknown>; kids: VChild[] }
export type VChild = VNode | string;
