import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { desk, failings, phone, until, world } from "./world.mjs";

const limit = { timeout: 60_000 };

describe("the signing page", { timeout: 600_000 }, () => {
  const w = world();
  const signer = async (name, options) => {
    const opened = await w.open(`/sign?world=${name}`, options);
    await opened.page.locator(".sg-sheet").first().waitFor();
    return opened;
  };
  const next = (page) => page.locator(".sg-next").click();
  const bar = (page) => page.locator(".sg-bar-field");

  // The buttons after a stroke are clicked, not tapped: on a busy machine Chromium takes a synthetic tap that follows a synthetic
  // stroke within milliseconds for its end.
  async function draw(page) {
    const canvas = page.locator("dialog[open] canvas");
    await canvas.waitFor();
    const box = await canvas.boundingBox();
    const cdp = await page.context().newCDPSession(page);
    const touch = (type, x, y) =>
      cdp.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x: box.x + x * box.width, y: box.y + y * box.height }] });
    await touch("touchStart", 0.2, 0.6);
    for (let i = 1; i <= 24; i++) await touch("touchMove", 0.2 + i * 0.025, 0.5 + 0.25 * Math.sin(i / 2));
    await touch("touchEnd");
  }

  test("on a phone, from the first field to the end", limit, async () => {
    const { page, close } = await signer("phone", phone);
    await page.locator(".sg-count", { hasText: "2 of 11" }).waitFor();
    await next(page);
    await bar(page).getByLabel("Town").fill("Ockham");
    await next(page);
    await bar(page).getByLabel("Rent in pounds").fill("40");
    await next(page);
    await bar(page).getByLabel("First day").fill("2026-03-25");
    await next(page);
    await bar(page).getByLabel("I have seen the mill").check();
    await next(page);
    await bar(page).getByLabel("Overshot").check();
    await next(page);
    await bar(page).getByLabel("River").selectOption("Wey");
    await next(page);
    await page.locator("[data-field=initials][data-current] button").tap();
    await page.locator("dialog[open]").getByRole("button", { name: "Type" }).click();
    assert.equal(await page.getByLabel("Type your initials").inputValue(), "AL");
    await page.getByRole("radio", { name: "Handwriting 3" }).check();
    await page.getByRole("button", { name: "Use these initials" }).click();
    await next(page);
    await page.locator("[data-field=signature][data-current] button").tap();
    await page.locator("dialog[open]").getByRole("button", { name: "Draw" }).click();
    await draw(page);
    await page.getByRole("button", { name: "Use this signature" }).click();
    await next(page);
    await page.getByRole("button", { name: "Use the same" }).click();
    await page.locator(".sg-count", { hasText: "11 of 11" }).waitFor();
    const consent = page.locator("#sg-finish").getByRole("checkbox");
    await until(async () => { // a tap on a page that still scrolls only stops it
      if (!(await consent.isVisible())) await page.locator(".sg-next", { hasText: "Sign and finish" }).tap();
      return consent.isVisible();
    });
    await consent.check();
    await page.locator("#sg-finish").getByRole("button", { name: "Sign and finish" }).click();
    await page.getByText("posted finish").waitFor();

    const state = await w.state("phone");
    assert.deepEqual(state.posts, ["finish consent=on"]);
    const { signature, again, initials, ...texts } = state.values;
    assert.deepEqual(texts, {
      name: { value: "Ada Lovelace" }, email: { value: "ada@lovelace.example" }, town: { value: "Ockham" }, rent: { value: "40" },
      day: { value: "2026-03-25" }, agree: { value: "true" }, wheel: { value: "Overshot" }, river: { value: "Wey" },
    });
    assert.deepEqual([signature.signature.method, initials.signature.method, initials.signature.text], ["draw", "type", "AL"]);
    assert.equal(initials.signature.face, "great-vibes");
    assert.deepEqual(again.signature, signature.signature);
    const [stroke] = signature.signature.strokes;
    assert.equal(signature.signature.strokes.length, 1);
    assert.ok(stroke.length > 5 && stroke.every((p) => p.length === 4 && p[2] >= 0 && p[2] <= 1), "a stroke is points with pressure and time");
    assert.ok(stroke[0][3] === 0 && stroke.every((p, i) => i === 0 || p[3] >= stroke[i - 1][3]), "time begins with the first point");
    const png = Buffer.from(signature.signature.image.replace("data:image/png;base64,", ""), "base64");
    assert.equal(png.toString("latin1", 1, 4), "PNG");
    assert.ok(png.readUInt32BE(16) > 300, "the picture is as sharp as the screen");
    await close();
  });

  test("a phone that is turned keeps the strokes", limit, async () => {
    const { page, close } = await signer("turned", phone);
    await page.locator("[data-field=initials] button").tap();
    await draw(page);
    await page.setViewportSize({ width: 844, height: 390 });
    const inked = () => page.locator("dialog[open] canvas").evaluate((c) => {
      const data = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
      return { ratio: c.width / c.clientWidth, ink: data.some((v, i) => i % 4 === 3 && v > 0), fits: c.getBoundingClientRect().bottom < innerHeight };
    });
    await until(inked, (s) => s.ratio === 3 && s.ink && s.fits);
    await page.getByRole("button", { name: "Use these initials" }).click();
    await until(async () => (await w.state("turned")).values.initials);
    await close();
  });

  test("undo and clear empty the paper; an empty paper is no signature", limit, async () => {
    const { page, close } = await signer("empty", phone);
    await page.locator("[data-field=initials] button").tap();
    await draw(page);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("button", { name: "Use these initials" }).click();
    await page.getByText("Draw your initials first.").waitFor();
    await page.locator("dialog[open]").getByRole("button", { name: "Close" }).click();
    assert.deepEqual((await w.state("empty")).values, {});
    await close();
  });

  test("on a desk the fields are inputs on the page, and what is wrong is said beside them", limit, async () => {
    const { page, close } = await signer("desk", { ...desk, expected: /422/ });
    const rent = page.locator("#sg-page-rent");
    await rent.fill("500");
    await rent.press("Tab");
    await page.getByText("Enter 100 or less.").waitFor();
    await rent.fill("41");
    await until(async () => (await w.state("desk")).values.rent?.value === "41");
    await w.fail("desk", 422);
    await page.locator("#sg-page-town").fill("Nowhere");
    await page.locator(".sg-error", { hasText: "The gallery was asked to fail." }).waitFor();
    await page.locator("#sg-page-town").fill("Ockham");
    await until(async () => (await w.state("desk")).values.town?.value === "Ockham");
    assert.equal(await page.locator(".sg-error").count(), 0);
    await close();
  });

  test("looking alone sends nothing", limit, async () => {
    const { page, close } = await signer("looking");
    await page.locator("#sg-page-name").focus();
    await page.locator("#sg-page-town").focus();
    assert.deepEqual((await w.state("looking")).values, {});
    await close();
  });

  test("values outlive a dead server and a closed page", limit, async () => {
    const { page, close } = await signer("dead", { ...desk, expected: /503/ });
    await w.fail("dead", ...Array(3).fill(503));
    await page.locator("#sg-page-town").fill("Ockham");
    await page.getByText("Not saved – trying again").waitFor();
    await page.reload();
    assert.equal(await page.locator("#sg-page-town").inputValue(), "Ockham");
    await until(async () => (await w.state("dead")).values.town?.value === "Ockham");
    await until(() => page.evaluate(() => localStorage.length === 0));
    await close();
  });

  test("the text of the page can be selected where the picture shows it", limit, async () => {
    const { page, close } = await signer("text");
    const line = page.locator(".sg-text p", { hasText: "The rent is forty pounds" }).first();
    const [box, sheet] = [await line.boundingBox(), await page.locator(".sg-sheet").first().boundingBox()];
    assert.ok(Math.abs((box.x - sheet.x) / sheet.width - 0.12) < 0.005);
    const wanted = 52 * 0.0165 * 0.707 * 0.98;
    assert.ok(Math.abs(box.width / sheet.width - wanted) < 0.005, `${box.width / sheet.width} of the page, not ${wanted}`);
    await close();
  });

  test("a field in several places is entered at one and stands at all; each choice has a place of its own", limit, async () => {
    const { page, close } = await signer("places", desk);
    await page.locator("[data-field=town] input").fill("Ockham");
    const mirrors = page.locator("[data-mirror=town]");
    await until(async () => (await mirrors.allInnerTexts()).join() === "Ockham,Ockham");
    await page.getByRole("radio", { name: "Which wheel?: Overshot" }).check();
    await until(async () => (await w.state("places")).values.wheel?.value === "Overshot");
    assert.equal(await page.getByRole("radio", { name: "Which wheel?: Undershot" }).isChecked(), false);
    await page.locator("[data-mirror=signature] button").click();
    assert.equal(await page.evaluate(() => document.activeElement?.closest("[data-field]")?.getAttribute("data-field")), "signature");
    await close();
  });

  test("the words of a page come when it comes near", limit, async () => {
    const { page, close } = await signer("places-words", desk);
    const texts = page.locator(".sg-text");
    await until(async () => (await texts.first().innerText()).includes("The words of page 0"));
    await page.locator(".sg-sheet").last().scrollIntoViewIfNeeded();
    await until(async () => (await texts.last().innerText()).includes("The words of page 2"));
    await close();
  });

  test("declining asks for a reason", limit, async () => {
    const { page, close } = await signer("decline", phone);
    await page.getByRole("button", { name: "Decline to sign" }).click();
    await page.getByLabel("Reason").fill("The wheel is rotten.");
    await page.locator("#sg-decline").getByRole("button", { name: "Decline to sign" }).click();
    await page.getByText("posted decline").waitFor();
    assert.deepEqual((await w.state("decline")).posts, ["decline reason=The+wheel+is+rotten."]);
    await close();
  });

  test("a viewer has only to say that it is read", limit, async () => {
    const { page, close } = await signer("viewer", phone);
    await page.locator(".sg-next", { hasText: "I have read it" }).tap();
    await page.locator("#sg-finish").getByRole("checkbox").check();
    await page.locator("#sg-finish").getByRole("button", { name: "I have read it" }).click();
    await page.getByText("posted finish").waitFor();
    await close();
  });

  test("a page that could not be fetched says so and can be fetched again", limit, async () => {
    const opened = await w.open("/sign?world=unseen", { ...desk, expected: /Failed to load resource/ });
    const { page, close } = opened;
    await page.locator(".sg-sheet").first().waitFor();
    const first = page.locator(".sg-sheet").first();
    const src = await first.locator(":scope > img").getAttribute("src");
    let down = true;
    await page.route((url) => url.pathname + url.search === src || url.pathname === src, (route) => (down ? route.abort() : route.continue()));
    await page.reload();
    await first.getByText("Page 1 could not be loaded.").waitFor();
    down = false;
    await first.getByRole("button", { name: "Try again" }).click();
    await until(() => first.locator(":scope > img").evaluate((img) => img.complete && img.naturalWidth > 0));
    assert.equal(await first.getByRole("alert").count(), 0);
    await close();
  });

  test("every state of it is accessible", limit, async () => {
    const { page, close } = await signer("axe", { ...phone, colorScheme: "dark" });
    await page.locator("[data-field=wheel] button").tap();
    assert.deepEqual(await failings(page), []);
    await page.locator("[data-field=signature] button").tap();
    for (const way of ["Type", "Upload", "Draw"]) {
      await page.locator("dialog[open]").getByRole("button", { name: way }).tap();
      assert.deepEqual(await failings(page), [], way);
    }
    await page.locator("dialog[open]").getByRole("button", { name: "Use this signature" }).click();
    await page.getByText("Draw your signature first.").waitFor();
    assert.deepEqual(await failings(page), []);
    await page.locator("dialog[open]").getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Decline to sign" }).click();
    assert.deepEqual(await failings(page), []);
    await close();
  });

  test("without scripts there is a form with every field", limit, async () => {
    const { page, close } = await w.open("/sign?world=plain", { ...phone, javaScriptEnabled: false });
    assert.equal(await page.locator("form[enctype='multipart/form-data'] [name^=field-]").count() > 12, true);
    await page.locator("[name=field-town]").fill("Ockham");
    await close();
  });
});
