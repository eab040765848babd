import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { desk, failings, phone, until, world } from "./world.mjs";

const limit = { timeout: 60_000 };

describe("the pages of a draft and of an end", { timeout: 600_000 }, () => {
  const w = world();
  const last = async () => new URLSearchParams((await w.state("draft")).posts.at(-1));

  test("a draft saves itself, and a new row keeps the id that it gets", limit, async () => {
    const { page, close } = await w.open("/draft", desk);
    const saved = page.locator("[data-saved]", { hasText: /^Saved$/ });
    await page.getByRole("button", { name: "Add a recipient" }).click();
    const row = page.locator("[data-rows] > [data-row]").nth(1);
    await row.locator("[name=recipient_name]").fill("Bob");
    await saved.waitFor();
    await until(async () => (await last()).getAll("recipient_name")[1] === "Bob");
    await until(async () => (await row.locator("[name=recipient_id]").inputValue()) === "r2");
    await page.getByLabel("Subject of the mail").fill("The lease");
    await until(async () => (await last()).get("subject") === "The lease");
    assert.deepEqual((await last()).getAll("recipient_id"), ["r1", "r2"]);
    await page.locator("textarea[name=message]").fill("something wrong");
    await page.locator("[data-saved]", { hasText: "Not all is saved: The message is wrong." }).waitFor();
    await close();
  });

  test("what was typed just before the page goes away is there when it comes again", limit, async () => {
    const { page, close } = await w.open("/draft", desk);
    await page.getByLabel("Subject of the mail").fill("Typed in haste");
    await page.reload();
    assert.equal(await page.getByLabel("Subject of the mail").inputValue(), "Typed in haste");
    await page.locator("[data-saved]", { hasText: /^Saved$/ }).waitFor();
    assert.equal((await last()).get("subject"), "Typed in haste");
    await close();
  });

  test("a dropped file waits for the form to be saved, then the page is made anew", limit, async () => {
    const { page, close } = await w.open("/draft", desk);
    await page.getByLabel("Subject of the mail").fill("Before the file");
    const again = page.waitForEvent("load");
    await page.locator("#dropzone-input").setInputFiles({ name: "a.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7 a") });
    await again;
    assert.equal((await last()).get("subject"), "Before the file");
    await close();
  });

  for (const path of ["/draft", "/review", "/outcome", "/preview", "/verify"]) {
    for (const look of [desk, phone]) {
      test(`${path} is accessible and not wider than the window, ${look === phone ? "on a phone" : "on a desk"}`, limit, async () => {
        const { page, close } = await w.open(path, look);
        assert.deepEqual(await failings(page), []);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
        await close();
      });
    }
  }
});
