// The webhooks' bundle on pages of its own: families of events tick their members, and a part that is alive is asked for
// again until it is at rest.
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { until } from "./world.mjs";

const dist = join(dirname(fileURLToPath(import.meta.url)), "../../dist");
const script = readFileSync(join(dist, JSON.parse(readFileSync(join(dist, "manifest.json"), "utf8"))["webhooks.js"]), "utf8");
let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.PARAPH_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"],
  });
});
after(() => browser?.close());

/** A page that shows each of some bodies in turn, the last for ever, with a clock that the test moves. */
async function open(...bodies) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.clock.install();
  let asked = 0;
  await page.route("http://hooks.test/**", (route) => {
    if (route.request().url().endsWith("webhooks.js")) return route.fulfill({ contentType: "text/javascript", body: script });
    const body = bodies[Math.min(asked++, bodies.length - 1)];
    return route.fulfill({ contentType: "text/html", body: `<!DOCTYPE html><title>x</title>${body}<script type="module" src="/webhooks.js"></script>` });
  });
  await page.goto("http://hooks.test/");
  return { page, asked: () => asked, close: () => context.close() };
}

const box = (value, more = "") => `<input type="checkbox" name="events" value="${value}" ${more}>`;
const events = `<form><fieldset data-events>${box("*", "data-all")}
  <fieldset data-group>${box("document.*", "data-all")}${box("document.sent", "checked")}${box("document.signed")}</fieldset>
  <fieldset data-group>${box("form.*", "data-all")}${box("form.viewed")}</fieldset></fieldset></form>`;

/** What the form would send. */
const sent = (page) => page.evaluate(() => [...new FormData(document.forms[0]).values()]);
const state = (page, value) => page.locator(`[value="${value}"]`).evaluate((b) => [b.checked, b.disabled]);

test("a family stands for its members, and gives them back as they were", async () => {
  const { page, close } = await open(events);
  await page.locator('[value="document.*"]').check();
  assert.deepEqual(await sent(page), ["document.*"]);
  assert.deepEqual(await state(page, "document.signed"), [true, true]);
  assert.deepEqual(await state(page, "form.viewed"), [false, false]);
  await page.locator('[value="*"]').check();
  assert.deepEqual(await sent(page), ["*"]);
  assert.deepEqual(await state(page, "form.viewed"), [true, true]);
  await page.locator('[value="*"]').uncheck();
  assert.deepEqual(await sent(page), ["document.*"]);
  await page.locator('[value="document.*"]').uncheck();
  assert.deepEqual(await sent(page), ["document.sent"]);
  assert.deepEqual(await state(page, "form.viewed"), [false, false]);
  await close();
});

const attempt = (n, open) => `<details id="attempt-${n}" ${open ? "open" : ""}><summary>Attempt ${n}</summary></details>`;

test("what is pending is asked for again until it is at rest", async () => {
  const { page, asked, close } = await open(
    `<div id="delivery" data-live>Pending ${attempt(1, true)}</div>`,
    `<div id="delivery" data-live>Retrying ${attempt(2, true)}${attempt(1, false)}</div>`,
    `<div id="delivery">Delivered</div>`,
  );
  await page.clock.runFor(3000);
  await until(() => page.locator("#delivery").textContent(), (text) => text.startsWith("Retrying"));
  assert.equal(await page.locator("#attempt-1").evaluate((d) => d.open), true); // as the reader had it
  assert.equal(await page.locator("#attempt-2").evaluate((d) => d.open), true);
  await page.clock.runFor(3000);
  await until(() => page.locator("#delivery").textContent(), (text) => text === "Delivered");
  const before = asked();
  await page.clock.runFor(30_000);
  assert.equal(asked(), before);
  await close();
});

test("nothing is taken from under a hand", async () => {
  const { page, asked, close } = await open(`<div id="delivery" data-live>Pending <button>Resend</button></div>`, `<div id="delivery">Delivered</div>`);
  await page.locator("button").focus();
  await page.clock.runFor(9000);
  assert.equal(asked(), 1);
  await page.locator("button").evaluate((b) => b.blur());
  await page.clock.runFor(3000);
  await until(() => page.locator("#delivery").textContent(), (text) => text === "Delivered");
  await close();
});

const rows = (paged, ...ids) => `<div id="deliveries" data-live="rows" data-first="/"${paged ? " data-paged" : ""}><p data-news></p><table><tbody>${
  ids.map(([id, text]) => `<tr id="delivery-${id}" data-id="${id}"><td>${text}</td></tr>`).join("")}</tbody></table></div>`;
const shown = (page) => page.locator("#deliveries tbody").innerText();

test("new rows and changed ones appear in their places, and the list keeps its length", async () => {
  const { page, close } = await open(rows(false, [2, "two"], [1, "one"]), rows(false, [3, "three"], [2, "two, sent"]));
  await page.locator("#delivery-2").evaluate((row) => row.setAttribute("data-mark", "x"));
  await page.clock.runFor(3000);
  assert.equal(await until(() => shown(page), (text) => text.includes("three")), "three\ntwo, sent");
  await close();
});

test("under a reader's hand nothing moves: it says what is new", async () => {
  const { page, close } = await open(rows(false, [1, "one"]), rows(false, [3, "three"], [2, "two"], [1, "one, sent"]));
  await page.locator("#delivery-1").hover();
  await page.clock.runFor(3000);
  const link = page.locator("[data-news] a");
  assert.equal(await until(() => link.textContent()), "2 new deliveries – show");
  assert.equal(await link.getAttribute("href"), "/");
  assert.equal(await shown(page), "one, sent");
  await close();
});

test("a time ahead is counted down, and the server is asked when it has come", async () => {
  const at = (await open("<p></p>"));
  const now = await at.page.evaluate(() => Date.now());
  await at.close();
  const { page, asked, close } = await open(`<div id="delivery" data-live>in <time data-countdown datetime="${new Date(now + 125_000).toISOString()}"></time></div>`);
  await page.clock.runFor(1000);
  assert.match(await page.locator("time").textContent(), /^in \d+ (min|s)/);
  await page.clock.runFor(240_000);
  assert.equal(await page.locator("time").textContent(), "now");
  assert.ok(asked() > 1);
  await close();
});
