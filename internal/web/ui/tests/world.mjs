// What every browser test needs: the gallery as a real server, a real Chromium, and a page that fails the test when its
// console shows an error – a refusal by the security policy is one.
import { chromium } from "playwright-core";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../../..");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const flags = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 3 };
export const desk = { viewport: { width: 1440, height: 900 } };

/** Starts gallery and browser for one test file and gives what opens pages in them. */
export function world() {
  const w = { base: "", browser: undefined };
  let folder, server;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "paraph-gallery-"));
    const binary = join(folder, "gallery");
    execFileSync("go", ["build", "-o", binary, "./internal/dev/gallery"], { cwd: root, stdio: "inherit", env: { ...process.env, GOFLAGS: "-buildvcs=false" } });
    server = spawn(binary, ["-listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
    w.base = await new Promise((resolve, reject) => {
      server.once("exit", (code) => reject(new Error(`the gallery ended with ${code}`)));
      server.stdout.once("data", (line) => resolve(/http:\S+/.exec(line)[0]));
    });
    w.browser = await chromium.launch({ executablePath: process.env.PARAPH_CHROMIUM ?? "/usr/bin/chromium", args: flags });
  });
  after(async () => {
    await w.browser?.close();
    server?.removeAllListeners("exit");
    server?.kill("SIGINT");
    if (folder) rmSync(folder, { recursive: true, force: true });
  });
  w.open = (path, options = desk) => open(w, path, options);
  w.state = async (name) => (await fetch(`${w.base}/api/${name}/state`)).json();
  w.fail = (name, ...codes) => fetch(`${w.base}/api/${name}/fail/${codes.join()}`, { method: "POST" });
  w.put = (name, body) => fetch(`${w.base}/api/${name}/layout`, { method: "PUT", body: JSON.stringify(body) });
  return w;
}

/** A page in a context of its own; close() says what went wrong in its console. expected are messages that the test provokes. */
async function open(w, path, options) {
  const { expected = /^$/, ...rest } = options;
  const context = await w.browser.newContext({ reducedMotion: "reduce", ...rest });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (m) => m.type() === "error" && !expected.test(m.text()) && wrong.push(m.text()));
  page.on("pageerror", (e) => wrong.push(String(e)));
  page.on("dialog", (d) => d.accept().catch(() => {}));
  await page.goto(w.base + path);
  return {
    page, context,
    close: async () => {
      await context.close();
      assert.deepEqual(wrong, []);
    },
  };
}

/** Asks until it is so; the test's own time limit ends it. */
export async function until(ask, wanted = (answer) => answer) {
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    await new Promise((r) => setTimeout(r, 25));
  }
}

/** What axe finds against WCAG 2.2 AA. Evaluating it, other than adding a script, needs no hole in the policy. */
export async function failings(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 140)} ${n.any[0]?.message ?? v.help}`));
}
