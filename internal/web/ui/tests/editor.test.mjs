import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { desk, failings, phone, until, world } from "./world.mjs";

const limit = { timeout: 60_000 };

describe("the field editor", { timeout: 600_000 }, () => {
  const w = world();
  const editor = async (name, options) => {
    const opened = await w.open(`/editor?world=${name}`, options);
    await opened.page.locator(".fe-sheet").first().waitFor();
    return opened;
  };
  const saved = (page) => page.locator(".fe-saved", { hasText: /^Saved$/ }).waitFor();
  const fields = (page) => page.locator(".fe-field");
  const last = (state) => JSON.parse(JSON.stringify(state.puts.at(-1)));

  async function dragOnto(page, type, x, y, sheet = 0) {
    const from = await page.locator(`[data-type=${type}]`).boundingBox();
    const to = await page.locator(".fe-sheet").nth(sheet).boundingBox();
    await page.mouse.move(from.x + 20, from.y + 20);
    await page.mouse.down();
    await page.mouse.move(from.x + 60, from.y + 40, { steps: 3 });
    await page.mouse.move(to.x + to.width * x, to.y + to.height * y, { steps: 5 });
    await page.mouse.up();
  }

  test("a type dragged onto a page is a field there, and is saved with an id", limit, async () => {
    const { page, close } = await editor("drag");
    await dragOnto(page, "signature", 0.5, 0.3);
    await saved(page);
    const state = await w.state("drag");
    const sent = last(state).fields[0];
    assert.equal(sent.id, "");
    assert.equal(sent.type, "signature");
    assert.equal(sent.recipient_id, "r1");
    assert.ok(Math.abs(sent.x + sent.w / 2 - 0.5) < 0.01 && Math.abs(sent.y + sent.h / 2 - 0.3) < 0.01, JSON.stringify(sent));
    assert.equal(state.fields[0].id, "stored-1");
    await page.locator(".fe-inspector").getByLabel("Label").fill("Sign here");
    await saved(page);
    const again = last(await w.state("drag"));
    assert.equal(again.version, 2);
    assert.deepEqual([again.fields.length, again.fields[0].id, again.fields[0].label], [1, "stored-1", "Sign here"]);
    await close();
  });

  test("a type clicked waits for a click on the page", limit, async () => {
    const { page, close } = await editor("click");
    await page.locator("label.fe-person").nth(1).click();
    await page.locator("[data-type=date]").click();
    const sheet = page.locator(".fe-sheet").first();
    await sheet.click({ position: { x: 200, y: 200 } });
    await saved(page);
    const sent = last(await w.state("click")).fields[0];
    assert.deepEqual([sent.type, sent.recipient_id], ["date", "r2"]);
    await close();
  });

  test("with the keyboard alone: placed, moved, resized, duplicated, deleted, undone, done again", limit, async () => {
    const { page, close } = await editor("keys");
    await page.locator("[data-type=text]").focus();
    await page.keyboard.press("Enter");
    await saved(page);
    const before = last(await w.state("keys")).fields[0];
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Control+ArrowRight");
    await saved(page);
    const moved = last(await w.state("keys")).fields[0];
    assert.ok(Math.abs(moved.x - before.x - 0.002) < 1e-5, "one step right");
    assert.ok(moved.y - before.y > 0.01, "ten steps down");
    assert.ok(Math.abs(moved.w - before.w - 0.002) < 1e-5, "one step wider");
    await page.keyboard.press("Control+d");
    assert.equal(await fields(page).count(), 2);
    await page.keyboard.press("Delete");
    assert.equal(await fields(page).count(), 1);
    await page.keyboard.press("Control+z");
    assert.equal(await fields(page).count(), 2);
    await page.keyboard.press("Control+z");
    assert.equal(await fields(page).count(), 1);
    await page.keyboard.press("Control+Shift+z");
    assert.equal(await fields(page).count(), 2);
    await page.keyboard.press("Control+c");
    await page.locator(".fe-field").first().focus();
    await page.keyboard.press("Control+c");
    await page.keyboard.press("Control+v");
    assert.equal(await fields(page).count(), 3);
    await saved(page);
    assert.equal(last(await w.state("keys")).fields.length, 3);
    await close();
  });

  test("a field cannot leave its page, but can go to another", limit, async () => {
    const { page, close } = await editor("edge");
    await dragOnto(page, "signature", 0.5, 0.3);
    await saved(page);
    const drag = async (x, y) => {
      const box = await fields(page).boundingBox();
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.mouse.down();
      await page.mouse.move(x, y, { steps: 6 });
      await page.mouse.up();
      await saved(page);
    };
    await drag(1435, 80);
    let f = (await w.state("edge")).fields[0];
    assert.ok(f.x + f.w <= 1 && f.y >= 0, JSON.stringify(f));
    await page.locator(".fe-thumb").nth(2).click();
    await page.locator(".fe-field").first().waitFor({ state: "attached" });
    await page.locator(".fe-sheet").nth(1).evaluate((el) => el.scrollIntoView({ block: "end" }));
    await page.locator(".fe-thumb").nth(0).click();
    await until(() => fields(page).boundingBox(), (box) => box && box.y > 60);
    await page.locator(".fe-pages").evaluate((el) => (el.scrollTop = 700));
    await page.keyboard.press("Escape");
    for (let i = 0; i < 3; i++) await page.locator(".fe-bar [aria-label=Smaller]").click({ timeout: 1000 }).catch(() => {});
    const wide = await page.locator(".fe-sheet").nth(1).boundingBox();
    await page.locator(".fe-field").scrollIntoViewIfNeeded();
    const target = await page.locator(".fe-sheet").nth(1).boundingBox();
    assert.ok(wide);
    await drag(target.x + target.width / 2, target.y + Math.min(target.height / 2, 880 - target.y));
    f = (await w.state("edge")).fields[0];
    assert.equal(f.page, 1);
    assert.ok(f.x >= 0 && f.y >= 0 && f.x + f.w <= 1 && f.y + f.h <= 1, JSON.stringify(f));
    await close();
  });

  test("a handle pulls one corner", limit, async () => {
    const { page, close } = await editor("pull");
    await dragOnto(page, "text", 0.4, 0.2);
    await saved(page);
    const before = (await w.state("pull")).fields[0];
    const grip = await page.locator("[data-handle=se]").boundingBox();
    await page.mouse.move(grip.x + 4, grip.y + 4);
    await page.mouse.down();
    await page.mouse.move(grip.x + 84, grip.y + 34, { steps: 4 });
    await page.mouse.up();
    await saved(page);
    const after = (await w.state("pull")).fields[0];
    assert.deepEqual([after.x, after.y], [before.x, before.y]);
    assert.ok(after.w > before.w + 0.05 && after.h > before.h + 0.01);
    await close();
  });

  test("when another tab was first, it says so and gives the choice", limit, async () => {
    const { page, close } = await editor("conflict", { ...desk, expected: /409/ });
    await w.put("conflict", { version: 1, fields: [] });
    await dragOnto(page, "date", 0.5, 0.3);
    await page.getByText("changed in another tab").waitFor();
    await page.getByRole("button", { name: "Keep mine" }).click();
    await saved(page);
    assert.equal((await w.state("conflict")).fields.length, 1);
    await w.put("conflict", { version: 3, fields: [] });
    await page.keyboard.press("Control+d");
    await page.getByRole("button", { name: "Load the other changes" }).click();
    assert.equal(await fields(page).count(), 0);
    await saved(page);
    await close();
  });

  test("when the server is away, nothing is lost: not by waiting, not by leaving", limit, async () => {
    const { page, close } = await editor("away", { ...desk, expected: /50[03]/ });
    await w.fail("away", 503);
    await dragOnto(page, "name", 0.5, 0.3);
    await page.getByText("Not saved yet – trying again").waitFor();
    await saved(page);
    assert.equal((await w.state("away")).fields.length, 1);
    await w.fail("away", 500, 500);
    await page.keyboard.press("Control+d");
    await page.getByText("Not saved yet – trying again").waitFor();
    await page.reload();
    await saved(page);
    assert.equal(await fields(page).count(), 2);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await close();
  });

  test("a refusal is said, and the next change is tried", limit, async () => {
    const { page, close } = await editor("refused", { ...desk, expected: /422/ });
    await w.fail("refused", 422);
    await dragOnto(page, "name", 0.5, 0.3);
    await page.getByText("Not saved: The gallery was asked to fail.").waitFor();
    await page.keyboard.press("ArrowRight");
    await saved(page);
    await close();
  });

  test("with a field of each type chosen it is accessible", limit, async () => {
    const { page, close } = await editor("uglyaxe", { ...desk, colorScheme: "dark" });
    for (let i = 0; i < 10; i++) {
      await fields(page).nth(i).click();
      assert.deepEqual(await failings(page), []);
    }
    await close();
  });

  test("on a phone: a tap on the type, a tap on the page, the panel from below", limit, async () => {
    const { page, close } = await editor("phone", phone);
    await page.locator("[data-type=signature]").tap();
    await page.locator(".fe-sheet").first().tap({ position: { x: 150, y: 150 } });
    await saved(page);
    assert.equal((await w.state("phone")).fields[0].type, "signature");
    await page.locator(".fe-field").tap();
    await page.locator(".fe-inspector[data-open]").waitFor();
    await page.locator(".fe-inspector").getByLabel("Label").fill("Here");
    await saved(page);
    assert.equal((await w.state("phone")).fields[0].label, "Here");
    await close();
  });

  test("in a narrow window a click with a mouse opens the panel too", limit, async () => {
    const { page, close } = await editor("uglynarrow", { viewport: { width: 768, height: 1024 } });
    assert.equal(await page.locator(".fe-inspector[data-open]").count(), 0);
    await fields(page).first().click();
    await page.locator(".fe-inspector[data-open]").getByRole("button", { name: "Close" }).click();
    await page.locator(".fe-inspector[data-open]").waitFor({ state: "detached" });
    await close();
  });
});
