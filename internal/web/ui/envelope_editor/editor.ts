import { html, LitElement, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { aspect, place, type Box } from "../shared/box.ts";
import { icon } from "../shared/icon.ts";
import { json } from "../shared/net.ts";
import { inspector } from "./inspector.ts";
import {
  clamp, type Field, fieldTypes, type FieldType, type Handle, History, type Layout, newField, newUid, onPage, type Page, pageKey, pulled,
  type Recipient, snapped, typeNames,
} from "./model.ts";
import { Saver, type SaveState } from "./saver.ts";

const handles: Handle[] = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

/** What the pointer is doing. */
type Gesture =
  | { is: "moving"; field: Field; grabX: number; grabY: number; fromX: number; fromY: number; moved: boolean }
  | { is: "pulling"; field: Field; handle: Handle; fromX: number; fromY: number }
  | { is: "bringing"; type: FieldType; fromX: number; fromY: number; moved: boolean };

/**
 * <paraph-field-editor src name back next next-label>: places fields on the pictures of pages. It reads the layout from src by
 * GET and saves the fields there by PUT.
 */
export class FieldEditor extends LitElement {
  static override properties = {
    src: {}, name: {}, back: {}, next: {}, nextLabel: { attribute: "next-label" },
    layout: { state: true }, selected: { state: true }, armed: { state: true }, recipient: { state: true }, live: { state: true },
    guides: { state: true }, saving: { state: true }, trouble: { state: true }, zoom: { state: true }, ghost: { state: true },
    sheet: { state: true },
  };
  declare src: string;
  declare name: string;
  declare back: string;
  declare next: string;
  declare nextLabel: string;
  private declare layout: Layout | undefined;
  private declare selected: string;
  private declare armed: FieldType | undefined;
  private declare recipient: string;
  /** The field under the pointer, as it would be if let go now. */
  private declare live: Field | undefined;
  private declare guides: { page: string; x: number | undefined; y: number | undefined } | undefined;
  private declare saving: SaveState;
  private declare trouble: string;
  private declare zoom: number;
  private declare ghost: { type: FieldType; x: number; y: number } | undefined;
  private declare sheet: boolean;

  private history = new History([]);
  private saver: Saver | undefined;
  private gesture: Gesture | undefined;
  private clipboard: Field | undefined;
  private leaving = false;
  private fallback: ChildNode[] = [];

  constructor() {
    super();
    this.selected = "";
    this.recipient = "";
    this.trouble = "";
    this.zoom = 1;
    this.saving = { is: "saved" };
    this.nextLabel = "Continue";
    this.sheet = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    this.fallback = [...this.childNodes];
    super.connectedCallback();
    addEventListener("keydown", this.onKey);
    addEventListener("beforeunload", this.onLeave);
    addEventListener("pointermove", this.onPointerMove);
    addEventListener("pointerup", this.onPointerUp);
    addEventListener("pointercancel", this.onPointerCancel);
    void this.load();
  }

  /** Takes away what the server put here for browsers without scripts. */
  private dropFallback(): void {
    for (const node of this.fallback) node.parentNode?.removeChild(node);
    this.fallback = [];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.saver?.stop();
    removeEventListener("keydown", this.onKey);
    removeEventListener("beforeunload", this.onLeave);
    removeEventListener("pointermove", this.onPointerMove);
    removeEventListener("pointerup", this.onPointerUp);
    removeEventListener("pointercancel", this.onPointerCancel);
  }

  private get fields(): Field[] {
    return this.history.now;
  }

  // Loading and saving.

  private async load(): Promise<void> {
    try {
      const layout = await json<Layout>("GET", this.src);
      this.dropFallback();
      this.open(layout);
      this.restore(layout);
    } catch (e) {
      this.trouble = `The pages could not be loaded: ${(e as Error).message}`;
    }
  }

  private open(layout: Layout): void {
    layout.fields = layout.fields.map(complete);
    this.layout = layout;
    this.history = new History(layout.fields);
    this.recipient ||= layout.recipients[0]?.id ?? "";
    this.saver?.stop();
    this.saver = new Saver(this.src, layout.version, (s) => (this.saving = s), (ids) => this.identify(ids));
  }

  /** Brings back what an earlier visit could not save. */
  private restore(layout: Layout): void {
    const left = Saver.leftOver(this.src);
    if (!left) return;
    const fields = left.fields.map(complete);
    this.history.change(fields);
    this.saver?.change(fields);
    if (left.version !== layout.version) this.saving = { is: "conflict", theirs: layout };
  }

  private identify(ids: Map<string, string>): void {
    if (ids.size === 0) return;
    this.history.identify(ids);
    this.saver?.identified(this.fields);
    this.requestUpdate();
  }

  private change(fields: Field[], tag = ""): void {
    this.history.change(fields, tag);
    this.saver?.change(fields);
    this.requestUpdate();
  }

  private async leave(event: Event): Promise<void> {
    event.preventDefault();
    const href = (event.currentTarget as HTMLAnchorElement).href;
    if (!(await this.saver?.flush())) return;
    this.leaving = true;
    location.assign(href);
  }

  private takeTheirs(theirs: Layout): void {
    Saver.forget(this.src);
    this.selected = "";
    this.open(theirs);
    this.saving = { is: "saved" };
  }

  private readonly onLeave = (event: BeforeUnloadEvent): void => {
    if (!this.leaving && this.saver?.pending) event.preventDefault();
  };

  // Changing fields.

  private find(uid: string): Field | undefined {
    return this.fields.find((f) => f.uid === uid);
  }

  private put(field: Field, tag = ""): void {
    this.change(this.fields.map((f) => (f.uid === field.uid ? field : f)), tag);
  }

  private add(field: Field): void {
    this.change([...this.fields, field]);
    this.select(field.uid);
    this.say(`${typeNames[field.type]} placed on page ${field.page + 1}`);
  }

  private removeField(uid: string): void {
    const field = this.find(uid);
    if (!field) return;
    const at = this.fields.indexOf(field);
    this.change(this.fields.filter((f) => f.uid !== uid));
    this.say(`${typeNames[field.type]} deleted`);
    this.selected = "";
    const near = this.fields[Math.min(at, this.fields.length - 1)];
    if (near) void this.updateComplete.then(() => this.element(near.uid)?.focus({ preventScroll: true }));
  }

  private duplicate(field: Field, page = this.page(field)): void {
    const down = Math.min(field.h + 0.012, 0.05);
    const box = onPage({ ...field, x: field.x + (field.y + field.h + down > 1 ? 0.02 : 0), y: field.y + down });
    this.add({ ...field, ...box, id: "", uid: newUid(), document_id: page.document_id, page: page.page });
  }

  private page(of: { document_id: string; page: number }): Page {
    return this.layout!.pages.find((p) => pageKey(p) === pageKey(of)) ?? this.layout!.pages[0]!;
  }

  private select(uid: string): void {
    this.selected = uid;
    const field = this.find(uid);
    if (field) this.recipient = field.recipient_id;
    void this.updateComplete.then(() => this.element(uid)?.focus({ preventScroll: true }));
  }

  private element(uid: string): HTMLElement | null {
    return this.querySelector(`[data-uid="${CSS.escape(uid)}"]`);
  }

  private say(text: string): void {
    const live = this.querySelector(".fe-said");
    if (live) live.textContent = text;
  }

  private undo(): void {
    if (!this.history.undo()) return;
    this.afterStep("Undone");
  }

  private redo(): void {
    if (!this.history.redo()) return;
    this.afterStep("Done again");
  }

  private afterStep(said: string): void {
    this.saver?.change(this.fields);
    if (!this.find(this.selected)) this.selected = "";
    this.say(said);
    this.requestUpdate();
  }

  // Keys.

  private readonly onKey = (event: KeyboardEvent): void => {
    if (!this.layout || (event.target as Element).matches("input, textarea, select, dialog *")) return;
    if (event.ctrlKey || event.metaKey) this.onCommand(event);
    else this.onPlainKey(event);
  };

  private onCommand(event: KeyboardEvent): void {
    const field = this.find(this.selected);
    const key = event.key.toLowerCase();
    if (key === "z") event.shiftKey ? this.redo() : this.undo();
    else if (key === "y") this.redo();
    else if (key === "d" && field) this.duplicate(field);
    else if (key === "c" && field && getSelection()?.isCollapsed !== false) this.clipboard = field;
    else if (key === "v" && this.clipboard) this.duplicate(this.clipboard, this.pageInView());
    else if (field && event.key.startsWith("Arrow")) this.nudge(field, event, true);
    else return;
    event.preventDefault();
  }

  private onPlainKey(event: KeyboardEvent): void {
    const field = this.find(this.selected);
    if (event.key === "Escape") this.escape();
    else if (field && this.element(field.uid)?.contains(document.activeElement)) {
      if (event.key === "Delete" || event.key === "Backspace") this.removeField(field.uid);
      else if (event.key.startsWith("Arrow")) this.nudge(field, event, false);
      else if (event.key === "Enter") this.openInspector();
      else return;
      event.preventDefault();
    }
  }

  private escape(): void {
    this.gesture = undefined;
    this.live = undefined;
    this.ghost = undefined;
    this.guides = undefined;
    if (this.armed) this.armed = undefined;
    else this.selected = "";
    this.sheet = false;
  }

  private openInspector(): void {
    this.sheet = true;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(".fe-inspector input, .fe-inspector select")?.focus());
  }

  private nudge(field: Field, event: KeyboardEvent, resize: boolean): void {
    const page = this.page(field);
    const step = event.shiftKey ? 0.02 : 0.002;
    const dx = { ArrowLeft: -step, ArrowRight: step }[event.key] ?? 0;
    const dy = (({ ArrowUp: -step, ArrowDown: step }[event.key] ?? 0) * page.width) / page.height;
    const box = resize ? pulled(field, "se", dx, dy) : onPage({ ...field, x: field.x + dx, y: field.y + dy });
    this.put({ ...field, ...box }, `${resize ? "size" : "move"} ${field.uid}`);
    this.element(field.uid)?.scrollIntoView({ block: "nearest" });
  }

  // Pointers.

  private onTypeDown(event: PointerEvent, type: FieldType): void {
    if (event.button !== 0) return;
    this.gesture = { is: "bringing", type, fromX: event.clientX, fromY: event.clientY, moved: false };
  }

  /** A click from the keyboard places the field in the middle of the page in view; one from a pointer arms the type. */
  private onTypeClick(event: MouseEvent, type: FieldType): void {
    if (event.detail !== 0) return;
    const page = this.pageInView();
    this.add(newField(type, page, this.recipient, 0.5, this.middleInView(page)));
  }

  private onFieldDown(event: PointerEvent, field: Field): void {
    if (event.button !== 0 || this.armed) return;
    event.stopPropagation();
    event.preventDefault();
    const handle = (event.target as HTMLElement).dataset["handle"] as Handle | undefined;
    const from = { fromX: event.clientX, fromY: event.clientY };
    this.select(field.uid);
    if (handle) {
      this.gesture = { is: "pulling", field, handle, ...from };
      return;
    }
    const r = this.element(field.uid)!.getBoundingClientRect();
    this.gesture = { is: "moving", field, grabX: event.clientX - r.left, grabY: event.clientY - r.top, ...from, moved: false };
  }

  private onPageDown(event: PointerEvent, page: Page): void {
    if (event.button !== 0) return;
    if (!this.armed) {
      this.selected = "";
      this.sheet = false;
      return;
    }
    event.preventDefault();
    const r = (event.currentTarget as HTMLElement).getBoundingClientRect();
    this.add(newField(this.armed, page, this.recipient, (event.clientX - r.left) / r.width, (event.clientY - r.top) / r.height));
    if (!event.shiftKey) this.armed = undefined;
  }

  private readonly onPointerMove = (event: PointerEvent): void => {
    const g = this.gesture;
    if (!g) return;
    if (g.is === "bringing") this.bring(g, event);
    else if (g.is === "moving") this.move(g, event);
    else this.pull(g, event);
  };

  private readonly onPointerUp = (event: PointerEvent): void => {
    const g = this.gesture;
    this.gesture = undefined;
    this.guides = undefined;
    this.ghost = undefined;
    if (!g) return;
    if (g.is === "bringing") {
      if (g.moved) this.drop(g.type, event);
      else if ((event.target as Element).closest(".fe-type")) this.armed = this.armed === g.type ? undefined : g.type;
      return;
    }
    const field = this.live;
    this.live = undefined;
    if (field) this.put(field);
    else if (g.is === "moving" && !event.shiftKey) this.sheet = true;
  };

  private readonly onPointerCancel = (): void => {
    this.gesture = undefined;
    this.live = undefined;
    this.ghost = undefined;
    this.guides = undefined;
  };

  private bring(g: Gesture & { is: "bringing" }, event: PointerEvent): void {
    g.moved ||= far(g, event);
    if (!g.moved) return;
    this.armed = undefined;
    this.ghost = { type: g.type, x: event.clientX, y: event.clientY };
  }

  private drop(type: FieldType, event: PointerEvent): void {
    const over = this.pageAt(event.clientX, event.clientY);
    if (!over) return;
    const { page, r } = over;
    this.add(newField(type, page, this.recipient, (event.clientX - r.left) / r.width, (event.clientY - r.top) / r.height));
  }

  private move(g: Gesture & { is: "moving" }, event: PointerEvent): void {
    g.moved ||= far(g, event);
    if (!g.moved) return;
    const over = this.pageAt(event.clientX, event.clientY) ?? this.rectOf(this.page(this.live ?? g.field));
    if (!over) return;
    const { page, r } = over;
    const from = this.page(g.field);
    const h = clamp((g.field.h * from.height * page.width) / (page.height * from.width), 0, 1);
    const free = onPage({ x: (event.clientX - g.grabX - r.left) / r.width, y: (event.clientY - g.grabY - r.top) / r.height, w: g.field.w, h });
    const others = this.fields.filter((f) => f.uid !== g.field.uid && pageKey(f) === pageKey(page));
    const to = event.altKey ? { box: free, x: undefined, y: undefined } : snapped(free, others, 5 / r.width, 5 / r.height);
    this.guides = { page: pageKey(page), x: to.x, y: to.y };
    this.live = { ...g.field, ...to.box, document_id: page.document_id, page: page.page };
  }

  private pull(g: Gesture & { is: "pulling" }, event: PointerEvent): void {
    const r = this.rectOf(this.page(g.field))?.r;
    if (!r) return;
    const box = pulled(g.field, g.handle, (event.clientX - g.fromX) / r.width, (event.clientY - g.fromY) / r.height);
    this.live = { ...g.field, ...box };
  }

  private pageAt(x: number, y: number): { page: Page; r: DOMRect } | undefined {
    const sheet = document.elementsFromPoint(x, y).find((el) => el instanceof HTMLElement && el.dataset["page"] !== undefined);
    const page = sheet && this.layout!.pages.find((p) => pageKey(p) === (sheet as HTMLElement).dataset["page"]);
    return page && { page, r: sheet.getBoundingClientRect() };
  }

  private rectOf(page: Page): { page: Page; r: DOMRect } | undefined {
    const sheet = this.querySelector(`[data-page="${CSS.escape(pageKey(page))}"]`);
    return sheet ? { page, r: sheet.getBoundingClientRect() } : undefined;
  }

  /** The fields of each page, as they would be if the pointer let go now. */
  private byPage(): Map<string, Field[]> {
    const pages = new Map<string, Field[]>();
    for (const one of this.fields) {
      const f = this.live?.uid === one.uid ? this.live : one;
      const key = pageKey(f);
      const list = pages.get(key);
      if (list) list.push(f);
      else pages.set(key, [f]);
    }
    return pages;
  }

  private view(): DOMRect {
    return this.querySelector(".fe-pages")!.getBoundingClientRect();
  }

  /** The page that shows most of itself. */
  private pageInView(): Page {
    const view = this.view();
    const shown = (p: Page) => {
      const r = this.rectOf(p)?.r;
      return r ? Math.min(r.bottom, view.bottom) - Math.max(r.top, view.top) : 0;
    };
    return this.layout!.pages.reduce((best, p) => (shown(p) > shown(best) ? p : best));
  }

  private middleInView(page: Page): number {
    const view = this.view();
    const r = this.rectOf(page)!.r;
    const middle = (Math.max(r.top, view.top) + Math.min(r.bottom, view.bottom)) / 2;
    return clamp((middle - r.top) / r.height, 0, 1);
  }

  // Markup.

  protected override updated(): void {
    this.querySelector<HTMLElement>(".fe-pages")?.style.setProperty("--zoom", String(this.zoom));
    const ghost = this.querySelector<HTMLElement>(".fe-ghost");
    if (ghost && this.ghost) ghost.style.translate = `${this.ghost.x}px ${this.ghost.y}px`;
  }

  protected override render(): unknown {
    if (!this.layout) return this.trouble ? html`<p class="note tone-error m-4" role="alert">${this.trouble}</p>` : nothing;
    const fields = this.byPage();
    return html`
      <div class="fe" ?data-armed=${this.armed !== undefined}>
        ${this.bar()}
        ${this.troubles()}
        <div class="fe-tools">${this.people()} ${this.palette()}</div>
        ${this.thumbnails(fields)}
        <div class="fe-pages" tabindex="-1">${this.layout.pages.map((p, i) => this.sheetOf(p, i, fields.get(pageKey(p)) ?? []))}</div>
        ${this.side()}
        ${this.ghost ? html`<div class="fe-ghost ${this.colour(this.recipient)}">${icon(this.ghost.type)} ${typeNames[this.ghost.type]}</div>` : nothing}
        <p class="fe-said sr-only" aria-live="polite"></p>
      </div>`;
  }

  private bar(): TemplateResult {
    return html`<header class="fe-bar">
      ${this.back
        ? html`<a class="btn btn-ghost btn-square" href=${this.back} aria-label="Back" title="Back" @click=${this.leave}>${icon("left")}</a>`
        : nothing}
      <h1 class="fe-name" title=${this.name}>${this.name}</h1>
      <p class="fe-saved" role="status">${savedText(this.saving)}</p>
      <div class="fe-bar-tools">
        <button class="btn btn-ghost btn-square" type="button" aria-label="Undo" title="Undo (Ctrl+Z)" ?disabled=${!this.history.canUndo}
          @click=${this.undo}>${icon("undo")}</button>
        <button class="btn btn-ghost btn-square" type="button" aria-label="Redo" title="Redo (Shift+Ctrl+Z)" ?disabled=${!this.history.canRedo}
          @click=${this.redo}>${icon("redo")}</button>
        <button class="btn btn-ghost btn-square fe-zoom" type="button" aria-label="Smaller" title="Smaller" ?disabled=${this.zoom <= 0.5}
          @click=${() => (this.zoom = Math.max(0.5, this.zoom - 0.25))}>${icon("minus")}</button>
        <span class="num fe-zoom text-sm">${Math.round(this.zoom * 100)} %</span>
        <button class="btn btn-ghost btn-square fe-zoom" type="button" aria-label="Larger" title="Larger" ?disabled=${this.zoom >= 2}
          @click=${() => (this.zoom = Math.min(2, this.zoom + 0.25))}>${icon("plus")}</button>
      </div>
      ${this.next ? html`<a class="btn btn-primary" href=${this.next} @click=${this.leave}>${this.nextLabel}</a>` : nothing}
    </header>`;
  }

  private troubles(): unknown {
    const s = this.saving;
    if (s.is === "refused") return html`<p class="note tone-error fe-note" role="alert">${icon("warning")}<span>Not saved: ${s.why}</span></p>`;
    if (s.is !== "conflict") return nothing;
    return html`<div class="note tone-warning fe-note" role="alert">
      ${icon("warning")}
      <p class="min-w-0 grow">These fields were changed in another tab or by someone else. Yours are not saved yet.</p>
      <button class="btn btn-sm" type="button" @click=${() => this.takeTheirs(s.theirs)}>Load the other changes</button>
      <button class="btn btn-sm" type="button" @click=${() => this.saver?.overwrite(s.theirs.version)}>Keep mine</button>
    </div>`;
  }

  private people(): TemplateResult {
    return html`<fieldset class="fe-people">
      <legend class="fe-legend">Fields for</legend>
      ${this.layout!.recipients.map((r) => html`
        <label class="fe-person ${this.colour(r.id)}">
          <input type="radio" name="fe-recipient" .checked=${r.id === this.recipient} @change=${() => this.choose(r)}>
          <span class="rc-dot"></span>
          <span class="min-w-0 grow">
            <span class="block truncate font-medium"><bdi>${r.name || r.email}</bdi></span>
            <span class="block truncate text-xs text-muted">${r.role}</span>
          </span>
          <span class="num text-xs text-muted">${this.fields.filter((f) => f.recipient_id === r.id).length}</span>
        </label>`)}
      ${this.layout!.recipients.length === 0 ? html`<p class="text-sm text-muted">Add recipients first.</p>` : nothing}
    </fieldset>`;
  }

  private choose(r: Recipient): void {
    this.recipient = r.id;
    this.selected = "";
  }

  private palette(): TemplateResult {
    return html`<div class="fe-palette" role="group" aria-label="Field types">
      <p class="fe-legend">${this.armed ? `Click where the ${typeNames[this.armed].toLowerCase()} goes` : "Drag onto a page, or click"}</p>
      <div class="fe-types">
        ${fieldTypes.map((t) => html`
          <button class="fe-type ${this.colour(this.recipient)}" type="button" aria-pressed=${this.armed === t} data-type=${t}
            ?disabled=${this.layout!.recipients.length === 0}
            @pointerdown=${(e: PointerEvent) => this.onTypeDown(e, t)} @click=${(e: MouseEvent) => this.onTypeClick(e, t)}>
            ${icon(t)} <span>${typeNames[t]}</span>
          </button>`)}
      </div>
    </div>`;
  }

  private thumbnails(fields: Map<string, Field[]>): TemplateResult {
    return html`<nav class="fe-thumbs" aria-label="Pages">
      ${this.layout!.pages.map((p, i) => html`
        <button type="button" class="fe-thumb" aria-label="Go to page ${i + 1} of ${this.layout!.pages.length}" @click=${() => this.goTo(p)}>
          <span class="fe-thumb-sheet" ${aspect(p.width, p.height)}>
            <img src=${p.image} alt="" loading="lazy" decoding="async" width=${p.width} height=${p.height}>
            ${fields.get(pageKey(p))?.map((f) => html`<span class="fe-speck ${this.colour(f.recipient_id)}" ${place(f)}></span>`)}
          </span>
          <span class="num">${i + 1}</span>
        </button>`)}
    </nav>`;
  }

  private goTo(p: Page): void {
    this.querySelector(`[data-page="${CSS.escape(pageKey(p))}"]`)?.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  private sheetOf(p: Page, i: number, mine: Field[]): TemplateResult {
    const first = i === 0 || this.layout!.pages[i - 1]!.document_id !== p.document_id;
    const key = pageKey(p);
    return html`
      ${first ? html`<h2 class="fe-document">${icon("file")}<bdi>${p.document_name}</bdi></h2>` : nothing}
      <div class="fe-sheet" data-page=${key} ${aspect(p.width, p.height)} @pointerdown=${(e: PointerEvent) => this.onPageDown(e, p)}>
        <img src=${p.image} alt="Page ${i + 1}" width=${p.width} height=${p.height} loading=${i < 2 ? "eager" : "lazy"} decoding="async" draggable="false">
        ${repeat(mine, (f) => f.uid, (f) => this.fieldOn(f))}
        ${this.guides?.page === key ? this.guideLines(this.guides) : nothing}
      </div>`;
  }

  private guideLines(g: { x: number | undefined; y: number | undefined }): unknown {
    const line = (box: Box, way: string) => html`<span class="fe-guide ${way}" ${place(box)}></span>`;
    return [
      g.x === undefined ? nothing : line({ x: g.x, y: 0, w: 0, h: 1 }, "down"),
      g.y === undefined ? nothing : line({ x: 0, y: g.y, w: 1, h: 0 }, "across"),
    ];
  }

  private fieldOn(f: Field): TemplateResult {
    const chosen = f.uid === this.selected;
    return html`<div class="fe-field ${this.colour(f.recipient_id)}" data-uid=${f.uid} data-kind=${f.type} ?data-selected=${chosen}
      tabindex="0" role="group" aria-roledescription="field" aria-label=${this.described(f)} ${place(f)}
      @pointerdown=${(e: PointerEvent) => this.onFieldDown(e, f)} @focus=${() => this.focused(f)}>
      <span class="fe-face">${icon(f.type)}<span class="truncate"><bdi>${f.label || typeNames[f.type]}</bdi>${f.required ? " *" : ""}</span></span>
      ${chosen ? handles.map((h) => html`<span class="fe-handle ${h}" data-handle=${h}></span>`) : nothing}
    </div>`;
  }

  private focused(f: Field): void {
    if (this.selected !== f.uid) this.selected = f.uid;
  }

  private described(f: Field): string {
    const who = this.layout!.recipients.find((r) => r.id === f.recipient_id);
    return `${f.label || typeNames[f.type]} for ${who?.name || who?.email || "nobody"}, page ${f.page + 1}${f.required ? ", required" : ""}`;
  }

  private side(): TemplateResult {
    const field = this.find(this.selected);
    return html`<aside class="fe-inspector" aria-label="Field" ?data-open=${this.sheet && field !== undefined}>
      ${field
        ? inspector(field, this.layout!.recipients, {
            change: (f, tag) => this.put(f, tag),
            remove: () => this.removeField(field.uid),
            duplicate: () => this.duplicate(field),
            close: () => (this.sheet = false),
          })
        : html`<div class="fe-hint">
            <p class="subtitle">No field chosen</p>
            <p>Choose one to name it, make it required or give it a value.</p>
            <dl>
              <div><dt>Move</dt><dd>arrow keys, Shift for more</dd></div>
              <div><dt>Resize</dt><dd>Ctrl and arrow keys</dd></div>
              <div><dt>Duplicate</dt><dd>Ctrl D</dd></div>
              <div><dt>Delete</dt><dd>Del</dd></div>
              <div><dt>Undo</dt><dd>Ctrl Z</dd></div>
            </dl>
          </div>`}
    </aside>`;
  }

  private colour(recipient: string): string {
    const at = this.layout!.recipients.findIndex((r) => r.id === recipient);
    const n = this.layout!.recipients[at]?.color ?? Math.max(at, 0);
    return `rc-${n % 8}`;
  }
}

function far(from: { fromX: number; fromY: number }, to: PointerEvent): boolean {
  return Math.hypot(to.clientX - from.fromX, to.clientY - from.fromY) > 4;
}

/** A field as the server or an older copy gave it, with all that may be left out. */
function complete(f: Partial<Field> & Box & Pick<Field, "id" | "document_id" | "page" | "type" | "recipient_id">): Field {
  return {
    ...f, uid: f.uid || newUid(), label: f.label ?? "", required: f.required ?? false, readonly: f.readonly ?? false,
    default: f.default ?? "", placeholder: f.placeholder ?? "", options: f.options ?? [], font_size: f.font_size ?? null,
    min: f.min ?? null, max: f.max ?? null,
  };
}

function savedText(s: SaveState): unknown {
  switch (s.is) {
    case "saved":
      return html`<span>${icon("cloud")}</span><span>Saved</span>`;
    case "saving":
      return html`<span>Saving …</span>`;
    case "unsaved":
      return html`<span>Not saved yet</span>`;
    case "offline":
      return html`<span class="text-warning">${icon("warning")}</span><span>Not saved yet – trying again</span>`;
    default:
      return html`<span class="text-error">${icon("warning")}</span><span>Not saved</span>`;
  }
}

customElements.define("paraph-field-editor", FieldEditor);
