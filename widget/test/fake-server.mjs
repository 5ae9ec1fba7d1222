// A real HTTP server with the shapes of the JSON contract, in memory, for tests and for looking at the widget.
// `node test/fake-server.mjs [port]` serves the built widget with a page around it.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const PRODUCTS = {
  B000000001: { title: "The Quiet Garden: A Year of Slow Planting", price: 1899, limit: 3 },
  B000000002: { title: "Enamel Kettle, 1.5 l, Cream", price: 4250 },
  B000000003: { title: "Field Notebook, Dotted, Pack of Three", price: 1295 },
  B000000004: { title: "Lighthouse Desk Lamp with an Unusually Long Name That Runs Over Several Lines", price: 12900 },
};
/** What a product that cannot be bought itself comes in. */
const KINDS = { B0000KINDS: [{ asin: "B000000002", choice: "Cream", title: "Enamel Kettle", url: "", available: true }] };
const RETAILERS = { US: ["Amazon.com", "www.amazon.com", "$"], DE: ["Amazon.de", "www.amazon.de", "EUR "] };
const TAG = "example-20";

const lineOf = (locale, { asin, quantity, id }) => {
  const [seller, host, sign] = RETAILERS[locale];
  const { title, price, limit } = PRODUCTS[asin];
  const money = (amount) => ({ amount, currency: locale == "US" ? "USD" : "EUR", formatted: sign + (amount / 100).toFixed(2) });
  return {
    asin, title, url: `https://${host}/dp/${asin}?tag=${TAG}`, quantity, cartItemId: id, seller,
    available: true, price: money(price), itemTotal: money(price * quantity), ...(limit && { limit }),
  };
};

/** One shopper's cart of one locale. */
class FakeCart {
  lines = [];
  notices = [];
  version = 0;
  pending = false;
  leftAt = null;
  leftCount = 0;

  constructor(locale, server) {
    Object.assign(this, { locale, server });
  }

  find({ asin, cartItemId }) {
    return this.lines.find((line) => (cartItemId ? line.id == cartItemId : line.asin == asin));
  }

  tell(code, message, rest) {
    this.notices.push({ id: this.notices.length + 1, code, message, ...rest });
  }

  put(line, quantity) {
    const { limit = 999, title } = PRODUCTS[line.asin];
    line.quantity = Math.min(quantity, limit);
    if (quantity > limit) {
      this.tell("quantity_capped", `Only ${limit} of “${title}” can be ordered; the quantity is now ${limit}.`, { asin: line.asin, requested: quantity, actual: limit });
    }
  }

  add({ asin, quantity = 1 }) {
    let line = this.find({ asin });
    if (!line) this.lines.push((line = { asin, quantity: 0, id: "U" + ++this.server.ids, area: "active" }));
    this.put(line, line.quantity + quantity);
  }

  set({ quantity, area, ...name }) {
    const line = this.find(name);
    if (!line) return;
    if (area) line.area = area;
    if (quantity === 0) this.lines = this.lines.filter((other) => other != line);
    else if (quantity) this.put(line, quantity);
  }

  handoff(outcome) {
    if (outcome == "left") Object.assign(this, { leftAt: new Date().toISOString(), leftCount: this.count });
    else this.leftAt = null;
    if (outcome == "arrived") this.lines = [];
  }

  get count() {
    return this.lines.filter(({ area }) => area == "active").reduce((sum, { quantity }) => sum + quantity, 0);
  }

  toJSON() {
    const { locale, server } = this;
    const of = (name) => this.lines.filter(({ area }) => area == name).map((line) => ({ ...lineOf(locale, line), ...(server.gone.has(line.asin) && { available: false }) }));
    const items = of("active");
    const [retailer, host, sign] = RETAILERS[locale];
    const amount = items.reduce((sum, item) => sum + item.itemTotal.amount, 0);
    const parts = [];
    for (let at = 0; at < items.length; at += server.partSize) {
      const fields = { AssociateTag: TAG };
      const part = items.slice(at, at + server.partSize);
      part.forEach(({ asin, quantity }, index) => Object.assign(fields, { [`ASIN.${index + 1}`]: asin, [`Quantity.${index + 1}`]: String(quantity) }));
      parts.push({ action: server.handoffAction || `https://${host}/gp/aws/cart/add.html`, fields, count: part.reduce((sum, { quantity }) => sum + quantity, 0) });
    }
    return {
      locale, store: retailer, items, saved: of("saved"), count: this.count, notices: this.notices, pending: this.pending, version: this.version,
      subtotal: items.length ? { amount, currency: "USD", formatted: sign + (amount / 100).toFixed(2) } : null,
      asOf: new Date().toISOString(),
      handoff: {
        mode: server.mode, method: "get", action: parts[0]?.action ?? null, fields: parts[0]?.fields ?? {}, parts, retailer,
        links: items.map(({ asin, title, url, quantity }) => ({ asin, title, url, quantity })),
        disclosure: "As an Amazon Associate I earn from qualifying purchases.",
        disclaimer: "Product prices and availability are accurate as of the date/time indicated and are subject to change.",
        leftAt: this.leftAt, leftCount: this.leftCount,
      },
    };
  }
}

/** Starts a server; `server.faults` holds what the next changes get: "503", "lost", "422", or milliseconds to wait. */
export async function fakeServer({ port = 0, token = null, page = null } = {}) {
  const server = { carts: {}, ids: 0, keys: new Map(), log: [], faults: [], gone: new Set(), mode: "form", partSize: 10, tokens: 0, retryAfter: "0", inFlight: 0, most: 0 };
  const cartOf = (locale) => (server.carts[locale] ??= new FakeCart(locale, server));
  const change = (cart, method, outcome, { items = [] }) => {
    if (outcome) return cart.handoff(outcome);
    if (method == "DELETE") return (cart.lines = []);
    const strange = method == "POST" && items.find(({ asin }) => !PRODUCTS[asin]);
    if (strange) throw { status: 422, code: "unknown_asin", detail: `There is no product ${strange.asin}: check the ASIN.`, choices: KINDS[strange.asin] };
    for (const item of items) method == "POST" ? cart.add(item) : cart.set(item);
  };

  const answer = (response, status, data, headers = {}) => {
    response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json", "Cache-Control": "no-store", ...headers });
    response.end(JSON.stringify(data));
  };

  async function api(request, response, path, body) {
    const { method, headers } = request;
    if (path == "shopper") return answer(response, 200, { token: token && token + ++server.tokens });
    if (token && headers.authorization != `Bearer ${token}${server.tokens}`) return answer(response, 401, { status: 401, code: "no_shopper", detail: "Ask for a token." });
    if (method == "GET") {
      if (path == "carts") return answer(response, 200, { carts: server.carts });
      return answer(response, 200, cartOf(path.split("/")[1]));
    }
    const fault = server.faults.shift();
    if (typeof fault == "number") await new Promise((wake) => setTimeout(wake, fault));
    if (fault == "503") return answer(response, 503, { status: 503, code: "busy", detail: "Try again." }, { "Retry-After": server.retryAfter });
    if (fault == "422") return answer(response, 422, { status: 422, code: "refused", detail: "That is not possible." });
    const cart = cartOf(path.split("/")[1]);
    const key = headers["idempotency-key"];
    if (!server.keys.has(key)) {
      try {
        change(cart, method, body.outcome, body);
      } catch (problem) {
        return answer(response, problem.status, problem);
      }
      cart.version++;
      server.keys.set(key, JSON.stringify(body));
    }
    if (fault == "lost") return request.socket.destroy();
    answer(response, 200, cart);
  }

  const http = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const path = new URL(request.url, "http://fake").pathname;
    if (!path.startsWith("/ecscart/v1/")) return page ? page(path, response) : answer(response, 404, {});
    const body = text ? JSON.parse(text) : {};
    server.log.push({ method: request.method, path: path.slice(12), body, key: request.headers["idempotency-key"], authorization: request.headers.authorization });
    const isChange = request.method != "GET";
    if (isChange) server.most = Math.max(server.most, ++server.inFlight);
    await api(request, response, path.slice(12), body);
    if (isChange) server.inFlight--;
  });
  await new Promise((ready) => http.listen(port, "127.0.0.1", ready));
  server.base = `http://127.0.0.1:${http.address().port}/ecscart`;
  server.cart = cartOf;
  server.changes = () => server.log.filter(({ method, path }) => method != "GET" && path != "shopper");
  server.close = () => new Promise((done) => (http.close(done), http.closeAllConnections()));
  return server;
}

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A blog</title><link rel="stylesheet" href="/page.css"><script type="module" src="/ecscart/ecscart.js" data-locale="US"></script>
<header><b>A blog</b><ecs-cart><a href="/ecscart/cart">Cart</a></ecs-cart></header><main><h1>Four good things</h1>
${Object.entries(PRODUCTS).map(([asin, { title }]) => `<p>${title}<br><ecs-add-to-cart asin="${asin}"><a class="add" href="/ecscart/add?asin=${asin}">Add to cart</a></ecs-add-to-cart>`).join("\n")}
<p><ecs-add-to-cart id="german" asin="B000000002" locale="DE"><button type="button">In Germany</button></ecs-add-to-cart>
<p><ecs-add-to-cart id="wrong" asin="B0000000XX"><button type="button">Unknown</button></ecs-add-to-cart></main></html>`;
const PAGE_CSS = `:root{color-scheme:light dark;font:1rem/1.6 system-ui,sans-serif}a{color:inherit}body{max-width:44rem;margin:auto;padding:1rem}
header{display:flex;justify-content:space-between;padding-block:1rem}.add{display:inline-block;padding:.4rem .9rem;border:1px solid;border-radius:.5rem;text-decoration:none;color:inherit}`;
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self' https:; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export const demoPage = async (path, response) => {
  if (path == "/ecscart/ecscart.js") {
    response.setHeader("Content-Type", "text/javascript");
    return response.end(await readFile(new URL("../../flask_ecscart/static/ecscart.js", import.meta.url)));
  }
  response.setHeader("Content-Security-Policy", CSP);
  response.setHeader("Content-Type", path == "/page.css" ? "text/css" : "text/html; charset=utf-8");
  response.end(path == "/page.css" ? PAGE_CSS : path == "/favicon.ico" ? "" : PAGE);
};

if (process.argv[1] == fileURLToPath(import.meta.url)) {
  const { base } = await fakeServer({ port: Number(process.argv[2] || 0), page: demoPage });
  console.log(base.replace("/ecscart", "/"));
}
