import { html, LitElement, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { aspect, place } from "../shared/box.ts";
import { icon } from "../shared/icon.ts";
import { json } from "../shared/net.ts";
import { choice, control, errorOf, type Does, type Shown } from "./controls.ts";
import {
  type Field, filled, initialsOf, inReadingOrder, isSignature, type Line, nameOf, type Page, type Signature, type Spot, type Task, type Value, wrong,
} from "./model.ts";
import { Outbox } from "./outbox.ts";
import type { SignatureDialog } from "./signature_dialog.ts";
import "./signature_dialog.ts";
import { onLine } from "./text_layer.ts";

const consent = "I agree to sign this document electronically, and that my electronic signature binds me as one on paper would.";

/** What the last button says, by what the recipient is asked to do. */
const verbs: Record<string, [finish: string, title: string, decline: string]> = {
  signer: ["Sign and finish", "Finish signing", "Decline to sign"],
  approver: ["Approve", "Approve this document", "Reject"],
  viewer: ["I have read it", "Confirm that you have read it", "Decline"],
  assistant: ["Done", "Pass it on", "Decline"],
};

/** <paraph-signer src plain>: a document with one recipient's fields in it, and a guide from one to the next. */
export class Signer extends LitElement {
  static override properties = {
    src: {}, plain: {}, task: { state: true }, fields: { state: true }, current: { state: true }, errors: { state: true }, trouble: { state: true },
    narrow: { state: true }, tick: { state: true }, unseen: { state: true },
  };
  declare src: string;
  declare plain: string;
  private declare task: Task | undefined;
  private declare fields: Field[];
  private declare current: string;
  private declare errors: ReadonlyMap<string, string>;
  private declare trouble: string;
  private declare narrow: boolean;
  private declare tick: number;
  /** Pages whose picture did not come: nobody is asked to sign what they cannot see. */
  private declare unseen: ReadonlySet<number>;

  private outbox: Outbox | undefined;
  private remembered = new Map<string, Signature>();
  /** Fields whose value was suggested and not yet sent: looking at a document must not begin to sign it. */
  private suggested = new Set<string>();
  private leaving = false;
  private fallback: ChildNode[] = [];
  private readonly width = matchMedia("(max-width: 52rem)");
  private readonly does: Does = {
    input: (f, value, commit) => this.input(f, value, commit),
    sign: (f) => void this.sign(f),
    focus: (f) => (this.current = f.id),
  };

  constructor() {
    super();
    this.fields = [];
    this.current = "";
    this.errors = new Map();
    this.trouble = "";
    this.narrow = this.width.matches;
    this.tick = 0;
    this.unseen = new Set();
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    this.fallback = [...this.childNodes];
    super.connectedCallback();
    this.width.addEventListener("change", this.onWidth);
    addEventListener("beforeunload", this.onLeave);
    void this.load();
  }

  /** Takes away what the server put here for browsers without scripts. */
  private dropFallback(): void {
    for (const node of this.fallback) node.parentNode?.removeChild(node);
    this.fallback = [];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.outbox?.stop();
    this.width.removeEventListener("change", this.onWidth);
    removeEventListener("beforeunload", this.onLeave);
  }

  private readonly onWidth = (): void => {
    this.narrow = this.width.matches;
  };

  private readonly onLeave = (event: BeforeUnloadEvent): void => {
    if (!this.leaving && this.outbox?.pending) event.preventDefault();
  };

  // The task and its values.

  private async load(): Promise<void> {
    try {
      const task = await json<Task>("GET", this.src);
      this.dropFallback();
      this.open(task);
    } catch (e) {
      this.dropFallback();
      this.trouble = (e as Error).message;
    }
  }

  private open(task: Task): void {
    this.fields = inReadingOrder(task.pages, task.fields.map(complete)).map((f) => this.suggest(f, task));
    this.task = task;
    this.outbox = new Outbox(task.values_url, {
      changed: () => this.tick++,
      refused: (field, why) => this.refuse(field, why),
    });
    for (const [id, value] of this.outbox.left) this.bringBack(id, value);
    this.outbox.wake();
    void this.updateComplete.then(() => this.watchPages());
  }

  /** Fetches the words of a page when it comes near: those of a whole book take their time. */
  private watchPages(): void {
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        near.unobserve(entry.target);
        void this.words(Number((entry.target as HTMLElement).dataset["sheet"]));
      }
    }, { rootMargin: "100% 0px" });
    for (const sheet of this.querySelectorAll("[data-sheet]")) near.observe(sheet);
  }

  private async words(i: number): Promise<void> {
    const url = this.task?.pages[i]?.text_url;
    if (!url) return;
    try {
      const text = await json<Line[]>("GET", url);
      this.task = { ...this.task!, pages: this.task!.pages.map((p, n) => (n === i ? { ...p, text } : p)) };
    } catch {
      // The picture is there all the same.
    }
  }

  private suggest(f: Field, task: Task): Field {
    const value = f.type === "name" ? task.recipient.name : f.type === "email" ? task.recipient.email : "";
    if (f.value !== "" || f.readonly || value === "") return f;
    this.suggested.add(f.id);
    return { ...f, value };
  }

  private bringBack(id: string, value: Value): void {
    const f = this.fields.find((one) => one.id === id);
    if (!f) this.outbox?.take(id);
    else if ("signature" in value) {
      this.remembered.set(f.type, value.signature);
      this.put({ ...f, signature_image: value.signature.image });
    } else this.put({ ...f, value: value.value });
  }

  private put(f: Field): void {
    this.fields = this.fields.map((one) => (one.id === f.id ? f : one));
  }

  private input(f: Field, value: string, commit: boolean): void {
    if (f.readonly) return;
    if (f.value === value && !this.outbox?.left.has(f.id)) {
      if (commit) this.complain(f.id, wrong(f, value) || (this.errors.get(f.id) ?? ""));
      return;
    }
    const next = { ...f, value: f.type === "number" ? value.trim().replace(",", ".") : value };
    const why = wrong(next, next.value);
    this.put({ ...next, value });
    this.suggested.delete(f.id);
    this.complain(f.id, commit || this.errors.has(f.id) ? why : "");
    if (why) this.outbox?.take(f.id);
    else this.outbox?.put(f.id, { value: next.value }, commit ? 0 : 600);
    this.sendSuggested();
  }

  private async sign(f: Field): Promise<void> {
    if (f.readonly) return;
    this.current = f.id;
    const what = f.type === "initials" ? "initials" : "signature";
    const name = this.task!.recipient.name;
    const dialog = this.querySelector<SignatureDialog>("paraph-signature-dialog")!;
    const made = await dialog.ask(what, what === "initials" ? initialsOf(name) : name);
    if (!made) return;
    this.remembered.set(f.type, made);
    this.signed(f, made);
  }

  private signed(f: Field, signature: Signature): void {
    this.put({ ...this.fields.find((one) => one.id === f.id)!, signature_image: signature.image });
    this.complain(f.id, "");
    this.outbox?.put(f.id, { signature }, 0);
    this.sendSuggested();
  }

  private sendSuggested(): void {
    for (const id of this.suggested) {
      const f = this.fields.find((one) => one.id === id);
      if (f && wrong(f, f.value) === "") this.outbox?.put(id, { value: f.value }, 0);
    }
    this.suggested.clear();
  }

  private complain(field: string, why: string): void {
    if ((this.errors.get(field) ?? "") === why) return;
    const errors = new Map(this.errors);
    if (why) errors.set(field, why);
    else errors.delete(field);
    this.errors = errors;
  }

  private refuse(field: string, why: string): void {
    const f = this.fields.find((one) => one.id === field);
    if (f && isSignature(f)) this.put({ ...f, signature_image: "" });
    this.complain(field, why);
  }

  // The guide.

  private get wanted(): Field[] {
    return this.fields.filter((f) => f.required && !f.readonly);
  }

  private needs(f: Field): boolean {
    return this.errors.has(f.id) || (f.required && !f.readonly && !filled(f));
  }

  /** The next field that needs something, after the current one and then from the start. */
  private nextOpen(): Field | undefined {
    const at = this.fields.findIndex((f) => f.id === this.current);
    const round = [...this.fields.slice(at + 1), ...this.fields.slice(0, at + 1)];
    return round.find((f) => this.needs(f));
  }

  private goNext(): void {
    const next = this.nextOpen();
    if (next) void this.goTo(next);
    else void this.askToFinish();
  }

  private async goTo(f: Field): Promise<void> {
    this.current = f.id;
    await this.updateComplete;
    const box = this.querySelector<HTMLElement>(`[data-field="${CSS.escape(f.id)}"]`);
    if (box) bringIntoView(box);
    const bar = this.narrow && !isSignature(f) ? ".sg-bar-field" : undefined;
    const input = bar ? this.querySelector<HTMLElement>(`${bar} input, ${bar} select`) : box?.querySelector<HTMLElement>("input, select, button");
    input?.focus({ preventScroll: true });
  }

  private async askToFinish(): Promise<void> {
    this.sendSuggested();
    this.querySelector<HTMLDialogElement>("#sg-finish")?.showModal();
  }

  /** Sends what is not sent before the form goes: a form that overtook a value would finish without it. */
  private async finish(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    if (form.hasAttribute("data-sent")) return;
    form.setAttribute("data-sent", "");
    const all = await this.outbox?.flush();
    if (all && this.errors.size === 0) {
      this.leaving = true;
      form.submit();
      return;
    }
    form.removeAttribute("data-sent");
    form.closest("dialog")?.close();
    if (this.errors.size > 0) this.goNext();
    else this.trouble = "Some of what you entered has not reached the server. It is kept here; try again in a moment.";
  }

  private decline(): void {
    this.leaving = true;
  }

  // Markup.

  protected override updated(): void {
    for (const box of this.querySelectorAll<HTMLElement>("[data-field]")) {
      const f = this.fields.find((one) => one.id === box.dataset["field"]);
      const page = f && this.task?.pages.find((p) => onPage(f, p));
      if (f && page) box.style.setProperty("--high", String((f.h * page.height) / page.width));
    }
    for (const box of this.querySelectorAll<HTMLElement>("[data-mirror]")) {
      const spot = this.fields.find((one) => one.id === box.dataset["mirror"])?.also?.[Number(box.dataset["at"])];
      const page = spot && this.task?.pages.find((p) => onPage(spot, p));
      if (spot && page) box.style.setProperty("--high", String((spot.h * page.height) / page.width));
    }
  }

  protected override render(): unknown {
    if (!this.task) return this.trouble ? this.notLoaded() : nothing;
    return html`
      ${this.head(this.task)}
      ${this.trouble ? html`<p class="note tone-warning sg-note" role="alert">${icon("warning")}<span>${this.trouble}</span></p>` : nothing}
      <div class="sg-pages">
        ${this.task.envelope.message ? html`<blockquote class="sg-message" dir="auto">${this.task.envelope.message}</blockquote>` : nothing}
        ${this.task.pages.map((p, i) => this.sheet(p, i))}
      </div>
      ${this.guide()} ${this.finishDialog(this.task)} ${this.declineDialog(this.task)}
      <paraph-signature-dialog></paraph-signature-dialog>`;
  }

  private notLoaded(): TemplateResult {
    return html`<div class="failure"><h1 class="subtitle">The document could not be loaded</h1><p class="text-muted">${this.trouble}</p>
      <a class="btn btn-primary" href=${this.plain || location.href}>Try the simple page</a></div>`;
  }

  private head(t: Task): TemplateResult {
    return html`<header class="sg-head">
      <div class="min-w-0">
        <h1 class="sg-name"><bdi>${t.envelope.name}</bdi></h1>
        <p class="sg-from">from <bdi>${t.envelope.sender}</bdi></p>
      </div>
      <p class="sg-saved" role="status">${this.savedText()}</p>
      <button class="btn btn-ghost" type="button" data-dialog="sg-decline">${this.verb[2]}</button>
    </header>`;
  }

  private get verb(): [string, string, string] {
    return verbs[this.task?.recipient.kind ?? ""] ?? verbs["signer"]!;
  }

  private savedText(): unknown {
    if (this.outbox?.offline) return html`${icon("warning")}<span>Not saved – trying again</span>`;
    if (this.outbox?.pending) return html`<span>Saving …</span>`;
    return this.fields.some((f) => this.entered(f)) ? html`${icon("cloud")}<span>Saved</span>` : nothing;
  }

  /** Whether the reader entered it, here or on an earlier visit: what the sender knew of them is not theirs. */
  private entered(f: Field): boolean {
    const { name, email } = this.task!.recipient;
    return !f.readonly && filled(f) && !this.suggested.has(f.id) && !(f.type === "name" && f.value === name) && !(f.type === "email" && f.value === email);
  }

  /** A page is fetched at once when the guide may lead there next, so that it is there before the reader is. */
  private soon(p: Page, i: number): boolean {
    const next = this.nextOpen();
    return i < 2 || (next !== undefined && onPage(next, p));
  }

  private missed(i: number, missed: boolean): void {
    if (this.unseen.has(i) === missed) return;
    const unseen = new Set(this.unseen);
    if (missed) unseen.add(i);
    else unseen.delete(i);
    this.unseen = unseen;
  }

  private again(event: Event, p: Page, i: number): void {
    this.missed(i, false);
    const picture = (event.target as Element).closest(".sg-sheet")?.querySelector<HTMLImageElement>(":scope > img");
    if (picture) picture.src = p.image;
  }

  private sheet(p: Page, i: number): TemplateResult {
    const first = i === 0 || this.task!.pages[i - 1]!.document_id !== p.document_id;
    return html`
      ${first ? html`<h2 class="sg-document">${icon("file")}<bdi>${p.document_name}</bdi></h2>` : nothing}
      <section class="sg-sheet" data-sheet=${i} aria-label="Page ${i + 1} of ${this.task!.pages.length}" ${aspect(p.width, p.height)}>
        <div class="sg-coming">${this.unseen.has(i)
          ? html`<p role="alert">Page ${i + 1} could not be loaded.</p><button class="btn" type="button" @click=${(e: Event) => this.again(e, p, i)}>Try again</button>`
          : html`<p aria-hidden="true">Page ${i + 1} …</p>`}</div>
        <img src=${p.image} alt="" width=${p.width} height=${p.height} loading=${this.soon(p, i) ? "eager" : "lazy"} decoding="async"
          ?data-missed=${this.unseen.has(i)} @load=${() => this.missed(i, false)} @error=${() => this.missed(i, true)}>
        <div class="sg-text">${p.text?.map((line) => html`<p dir="auto" ${onLine(line, p)}>${line.t}</p>`)}</div>
        ${repeat(this.fields.filter((f) => onPage(f, p)), (f) => f.id, (f) => this.field(f))}
        ${this.fields.map((f) => f.also?.map((spot, at) => (onPage(spot, p) ? this.mirror(f, spot, at) : nothing)))}
      </section>`;
  }

  private field(f: Field): TemplateResult {
    const shown: Shown = { where: "page", error: this.errors.get(f.id) ?? "" };
    return html`<div class="sg-field" data-field=${f.id} data-kind=${f.type} ?data-open=${this.needs(f)} ?data-current=${f.id === this.current}
      ?data-filled=${filled(f)} ?data-readonly=${f.readonly} ${place(f)}>
      ${this.here(f, f, control(f, shown, this.does))}
      ${this.narrow ? nothing : errorOf(f, shown)}
    </div>`;
  }

  private here(f: Field, spot: Spot, input: TemplateResult): TemplateResult {
    if (f.type === "radio" && spot.option) return choice(f, spot.option, this.does);
    return this.narrow && !isSignature(f) ? this.tappable(f) : input;
  }

  /** Another place of a field: it shows the value, and leads to the one place where it is entered. */
  private mirror(f: Field, spot: Spot, at: number): TemplateResult {
    const picks = f.type === "radio" && spot.option;
    return html`<div class="sg-field" data-mirror=${f.id} data-at=${at} data-kind=${f.type} ?data-filled=${filled(f)} ?data-readonly=${f.readonly}
      aria-hidden=${picks ? nothing : "true"} ${place(spot)}>
      ${picks ? choice(f, spot.option!, this.does) : isSignature(f) ? this.mirroredSignature(f) : this.mirroredText(f)}
    </div>`;
  }

  private mirroredText(f: Field): TemplateResult {
    return html`<button class="sg-input sg-tap" type="button" tabindex="-1" ?disabled=${f.readonly} @click=${() => this.goTo(f)}><span dir="auto">${shownValue(f)}</span></button>`;
  }

  private mirroredSignature(f: Field): TemplateResult {
    return html`<button class="sg-sign" type="button" tabindex="-1" ?disabled=${f.readonly} @click=${() => this.goTo(f)}>
      ${f.signature_image ? html`<img src=${f.signature_image} alt="">` : nothing}</button>`;
  }

  /** On a phone a field on the page is too small to type in: a tap brings its input into the bar. */
  private tappable(f: Field): TemplateResult {
    if (f.readonly) return html`<span class="sg-input" dir="auto">${shownValue(f)}</span>`;
    return html`<button class="sg-input sg-tap" type="button" aria-label="${nameOf(f)}: ${shownValue(f) || "empty"}" @click=${() => this.goTo(f)}>
      <span dir="auto">${shownValue(f) || (f.type === "checkbox" ? "" : nameOf(f))}</span></button>`;
  }

  private guide(): TemplateResult {
    const wanted = this.wanted;
    const done = wanted.filter((f) => !this.needs(f)).length;
    const now = this.fields.find((f) => f.id === this.current);
    return html`<footer class="sg-guide">
      ${now && !now.readonly ? this.barField(now) : nothing}
      <div class="sg-guide-row">
        <div class="sg-count">
          <p class="num" aria-live="polite">${wanted.length === 0 ? "Nothing has to be filled in" : `${done} of ${wanted.length} done`}</p>
          ${wanted.length > 0 ? html`<progress class="meter" value=${done} max=${wanted.length} aria-label="Required fields done"></progress>` : nothing}
        </div>
        ${this.nextButton()}
      </div>
    </footer>`;
  }

  private nextButton(): TemplateResult {
    const now = this.fields.find((f) => f.id === this.current);
    const quiet = this.narrow && now && isSignature(now) && this.needs(now); // signing is the main thing, not passing it by
    if (this.nextOpen()) return html`<button class="btn ${quiet ? "" : "btn-primary"} sg-next" type="button" @click=${this.goNext}>${this.current === "" ? "Start" : "Next"}${icon("down")}</button>`;
    return html`<button class="btn btn-primary sg-next" type="button" @click=${this.askToFinish}>${this.verb[0]}${icon("check")}</button>`;
  }

  private barField(f: Field): unknown {
    const same = isSignature(f) && !filled(f) ? this.remembered.get(f.type) : undefined;
    if (!this.narrow && !same) return nothing;
    const shown: Shown = { where: "bar", error: this.errors.get(f.id) ?? "", instead: same !== undefined };
    return html`<div class="sg-bar-field" data-kind=${f.type}>
      <span class="field-label"><bdi>${nameOf(f)}</bdi>${f.required ? nothing : html` <span class="font-normal text-muted">(optional)</span>`}</span>
      <div class="sg-bar-input">
        ${same ? html`<button class="btn btn-primary" type="button" @click=${() => this.signed(f, same)}><span>Use the same</span><img class="sg-same" src=${same.image} alt=""></button>` : nothing}
        ${this.narrow ? control(f, shown, this.does) : nothing}
      </div>
      ${errorOf(f, shown)}
    </div>`;
  }

  private finishDialog(t: Task): TemplateResult {
    return html`<dialog class="dialog" id="sg-finish" data-modal aria-labelledby="sg-finish-title">
      <form class="grid gap-4" method="post" action=${t.finish_url} @submit=${this.finish}>
        <h2 class="subtitle" id="sg-finish-title">${this.verb[1]}</h2>
        <label class="choice"><input class="checkbox" type="checkbox" name="consent" value="on" required><span>${t.consent || consent}</span></label>
        <div class="dialog-actions">
          <button class="btn btn-ghost" type="button" data-close>Back to the document</button>
          <button class="btn btn-primary" type="submit">${this.verb[0]}</button>
        </div>
      </form>
    </dialog>`;
  }

  private declineDialog(t: Task): TemplateResult {
    return html`<dialog class="dialog" id="sg-decline" data-modal aria-labelledby="sg-decline-title">
      <form class="grid gap-4" method="post" action=${t.decline_url} data-once @submit=${this.decline}>
        <h2 class="subtitle" id="sg-decline-title">${this.verb[2]}</h2>
        <p class="text-sm text-muted">This ends it for everybody: <bdi>${t.envelope.sender}</bdi> is told, and nobody can sign any more.</p>
        <label class="field"><span class="field-label">Reason</span>
          <textarea class="textarea field-input" name="reason" rows="3" maxlength="1000" dir="auto" required></textarea></label>
        <div class="dialog-actions">
          <button class="btn btn-ghost" type="button" data-close>Back to the document</button>
          <button class="btn btn-error" type="submit">${this.verb[2]}</button>
        </div>
      </form>
    </dialog>`;
  }
}

/** Glides to what is near; what is far is shown at once, without fetching every page on the way. */
function bringIntoView(box: HTMLElement): void {
  const middle = box.getBoundingClientRect().top - innerHeight / 2;
  const jump = matchMedia("(prefers-reduced-motion: reduce)").matches || Math.abs(middle) > 1.5 * innerHeight;
  box.scrollIntoView({ block: "center", behavior: jump ? "auto" : "smooth" });
}

function onPage(spot: Spot, p: Page): boolean {
  return spot.document_id === p.document_id && spot.page === p.page;
}

function shownValue(f: Field): string {
  if (f.type === "checkbox") return f.value === "true" ? "✓" : "";
  if (f.type === "date" && /^\d{4}-\d\d-\d\d$/.test(f.value)) return new Date(`${f.value}T00:00:00`).toLocaleDateString();
  return f.value;
}

/** A field with all that the server may leave out. */
function complete(f: Partial<Field> & Pick<Field, "id" | "document_id" | "page" | "type" | "x" | "y" | "w" | "h">): Field {
  return {
    ...f, label: f.label ?? "", required: f.required ?? false, readonly: f.readonly ?? false, placeholder: f.placeholder ?? "",
    options: f.options ?? [], value: f.value ?? "", signature_image: f.signature_image ?? "", min: f.min ?? null, max: f.max ?? null,
  };
}

customElements.define("paraph-signer", Signer);
