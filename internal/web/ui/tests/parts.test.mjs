import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { desk, failings, phone, world } from "./world.mjs";

const limit = { timeout: 60_000 };
const everyPage = ["/parts", "/modal", "/rtl", "/list", "/envelope", "/auth", "/failure/507", "/envelope-new", "/editor", "/sign", "/sign/plain"];

describe("the parts", { timeout: 600_000 }, () => {
  const w = world();

  test("an opener shows its dialog, and Escape closes it", limit, async () => {
    const { page, close } = await w.open("/parts");
    await page.getByRole("link", { name: "Create Webhook" }).click();
    await page.locator("dialog#create[open]").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "modal-url");
    await page.keyboard.press("Escape");
    await page.locator("dialog#create").waitFor({ state: "hidden" });
    assert.equal(new URL(page.url()).pathname, "/parts");
    await close();
  });

  test("without scripts the opener leads to a page with the dialog open, and menus open", limit, async () => {
    const { page, close } = await w.open("/parts", { ...phone, javaScriptEnabled: false });
    await page.getByRole("link", { name: "Create Webhook" }).click();
    await page.locator("dialog#create").waitFor();
    await page.locator("summary").last().click();
    await page.getByRole("link", { name: "User settings" }).waitFor();
    await close();
  });

  test("a menu closes by a click elsewhere and by Escape", limit, async () => {
    const { page, close } = await w.open("/list");
    const settings = page.getByRole("link", { name: "User settings" });
    await page.locator("summary", { hasText: "Your menu" }).click();
    await settings.waitFor();
    await page.locator("h1").click();
    await settings.waitFor({ state: "hidden" });
    await page.locator("summary", { hasText: "Your menu" }).click();
    await page.keyboard.press("Escape");
    await settings.waitFor({ state: "hidden" });
    await close();
  });

  test("copying says so", limit, async () => {
    const { page, context, close } = await w.open("/parts");
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy", exact: true }).last().click();
    await page.getByText("Copied").waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^https:\/\/paraph\.example\/s\//);
    await close();
  });

  test("dropped files are sent one by one, and a bad one says why", limit, async () => {
    const { page, close } = await w.open("/envelope-new", { ...desk, expected: /422/ });
    await page.locator("#dropzone-input").setInputFiles([
      { name: "lease.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7 and so on") },
      { name: "song.pdf", mimeType: "application/pdf", buffer: Buffer.from("RIFF and so on") },
      { name: "empty.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(0) },
    ]);
    await page.getByText("“song.pdf” is neither a PDF nor a picture.").waitFor();
    await page.getByText("This file is empty.").waitFor();
    await page.locator("input[name=document][value=d18]").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Remove song.pdf" }).click();
    assert.equal(await page.locator(".drop-file").count(), 3);
    await close();
  });

  test("recipients are added, moved and removed by keyboard", limit, async () => {
    const { page, close } = await w.open("/envelope-new");
    const names = () => page.locator("[name=recipient_name]").evaluateAll((all) => all.map((i) => i.value.split(" ")[0]));
    const orders = () => page.locator("[name=recipient_order]").evaluateAll((all) => all.map((i) => i.value));
    await page.getByRole("button", { name: "Add a recipient" }).press("Enter");
    await page.keyboard.type("Charles");
    await page.getByRole("button", { name: "Move up" }).last().press("Enter");
    assert.deepEqual(await names(), ["Ada", "Charles", "Rear"]);
    await page.getByRole("button", { name: "Remove" }).first().press("Enter");
    assert.deepEqual([await names(), await orders()], [["Charles", "Rear"], ["1", "2"]]);
    const grip = await page.locator("[data-grip]").first().boundingBox();
    const other = await page.locator("[data-row]").last().boundingBox();
    await page.mouse.move(grip.x + 5, grip.y + 5);
    await page.mouse.down();
    await page.mouse.move(grip.x + 5, other.y + other.height - 5, { steps: 8 });
    await page.mouse.up();
    assert.deepEqual(await names(), ["Rear", "Charles"]);
    const ids = await page.locator("[data-row] [id]").evaluateAll((all) => all.map((el) => el.id));
    assert.equal(new Set(ids).size, ids.length, "every id once");
    await close();
  });

  for (const path of everyPage) {
    for (const colorScheme of ["light", "dark"]) {
      test(`${path} is accessible, ${colorScheme}`, limit, async () => {
        const { page, close } = await w.open(path, { ...desk, colorScheme });
        await page.waitForLoadState("networkidle");
        assert.deepEqual(await failings(page), []);
        await close();
      });
    }
  }

  for (const path of everyPage) {
    test(`${path} fits a phone, with targets for fingers`, limit, async () => {
      const { page, close } = await w.open(path, phone);
      await page.waitForLoadState("networkidle");
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
      const small = await page.locator(".btn:visible, .tab-link:visible, .field-input:visible").evaluateAll((all) =>
        all.filter((el) => el.getBoundingClientRect().height < 43.9).map((el) => el.outerHTML.slice(0, 120)));
      assert.deepEqual(small, []);
      await close();
    });
  }

  for (const path of everyPage) {
    test(`${path} does not move while it loads`, limit, async () => {
      const { page, context, close } = await w.open("/picture/0", phone);
      await context.addInitScript(() => {
        globalThis.moved = [];
        new PerformanceObserver((list) => {
          for (const e of list.getEntries()) globalThis.moved.push(`${e.value.toFixed(4)} ${e.sources.map((s) => s.node?.className ?? s.node).join()}`);
        }).observe({ type: "layout-shift", buffered: true });
      });
      await page.goto(w.base + path, { waitUntil: "networkidle" });
      assert.deepEqual(await page.evaluate(() => globalThis.moved), []);
      await close();
    });
  }

  test("every pair of colours is readable: 4.5 to 1 for text, 3 to 1 for edges", limit, () => {
    const css = (name) => readFileSync(new URL(`../styles/${name}`, import.meta.url), "utf8");
    const themes = css("app.css").split("daisyui/theme").slice(1).map(colours);
    assert.equal(themes.length, 2);
    const roots = css("base.css").split("--muted").slice(1, 3).map((part) => colours("--muted" + part));
    const bad = [];
    const check = (what, a, b, least) => contrast(a, b) < least && bad.push(`${what}: ${contrast(a, b).toFixed(2)}`);
    themes.forEach((c, i) => {
      for (const base of ["base-100", "base-200"]) {
        const paper = c[`color-${base}`];
        check(`${i} text on ${base}`, c["color-base-content"], paper, 7);
        check(`${i} muted on ${base}`, roots[i].muted, paper, 4.5);
        check(`${i} strong line on ${base}`, roots[i]["line-strong"], paper, 3);
        for (const tone of ["primary", "info", "success", "warning", "error"]) check(`${i} ${tone} on ${base}`, c[`color-${tone}`], paper, 4.5);
      }
      for (const tone of ["primary", "accent", "neutral", "error"]) check(`${i} text on ${tone}`, c[`color-${tone}-content`], c[`color-${tone}`], 4.5);
    });
    const recipients = [...css("components.css").matchAll(/--rc: (#\w{6})/g)].map((m) => m[1]);
    assert.equal(recipients.length, 8);
    for (const rc of recipients) {
      check(`${rc} on its tint`, rc, mix(rc, "#ffffff", 0.2), 4.5);
      check(`white on ${rc}`, "#ffffff", rc, 4.5);
    }
    assert.deepEqual(bad, []);
  });
});

function colours(text) {
  return Object.fromEntries([...text.matchAll(/--([\w-]+):\s*(#\w{6})/g)].map((m) => [m[1], m[2]]));
}

function channels(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

function mix(a, b, share) {
  const [x, y] = [channels(a), channels(b)];
  return "#" + x.map((v, i) => Math.round(v * share + y[i] * (1 - share)).toString(16).padStart(2, "0")).join("");
}

/** WCAG 2.2, relative luminance and contrast ratio. */
function contrast(a, b) {
  const light = (hex) => {
    const [r, g, bl] = channels(hex).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
  };
  const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}
