import { html, LitElement, nothing } from "lit";
import SignaturePad, { type PointGroup } from "signature_pad";
import { icon } from "../shared/icon.ts";
import { faces, pen, pictured, strokesOf, trimmed, written } from "./ink.ts";
import type { Signature } from "./model.ts";

type Way = Signature["method"];

const ways: [Way, string, string][] = [["draw", "Draw", "pencil"], ["type", "Type", "text"], ["upload", "Upload", "upload"]];

/** <paraph-signature-dialog>: asks for a signature or initials by drawing, typing or uploading. */
export class SignatureDialog extends LitElement {
  static override properties = {
    what: { state: true }, way: { state: true }, text: { state: true }, face: { state: true }, picture: { state: true }, trouble: { state: true }, strokes: { state: true },
  };
  private declare what: string;
  private declare way: Way;
  private declare text: string;
  private declare face: string;
  private declare picture: string;
  private declare trouble: string;
  private declare strokes: number;
  private pad: SignaturePad | undefined;
  private sized = { width: 0, height: 0 };
  private watcher: ResizeObserver | undefined;
  private answer: ((s: Signature | undefined) => void) | undefined;

  constructor() {
    super();
    this.what = "signature";
    this.way = "draw";
    this.text = "";
    this.face = faces[0]![0];
    this.picture = "";
    this.trouble = "";
    this.strokes = 0;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** Opens the dialog; undefined when it is closed without a signature. */
  async ask(what: "signature" | "initials", name: string): Promise<Signature | undefined> {
    this.what = what;
    this.trouble = "";
    this.picture = "";
    this.text = name;
    await this.updateComplete;
    this.dialog.showModal();
    this.startPad();
    return new Promise((resolve) => (this.answer = resolve));
  }

  private get dialog(): HTMLDialogElement {
    return this.querySelector("dialog")!;
  }

  private get canvas(): HTMLCanvasElement {
    return this.querySelector("canvas")!;
  }

  private startPad(): void {
    this.pad ??= new SignaturePad(this.canvas, { ...pen, throttle: 8 });
    this.pad.addEventListener("endStroke", this.counted);
    this.pad.clear();
    this.counted();
    this.watcher ??= new ResizeObserver(() => this.fit());
    this.watcher.observe(this.canvas);
    this.fit();
  }

  private readonly counted = (): void => {
    this.strokes = this.pad?.toData().length ?? 0;
    this.trouble = "";
  };

  /** Gives the canvas the screen's own pixels, and draws what is on it again at its new size: a phone was turned. */
  private fit(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!this.pad || width === 0 || (width === this.sized.width && height === this.sized.height)) return;
    const data = this.pad.toData();
    const ratio = Math.min(Math.max(devicePixelRatio, 2), 3);
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.getContext("2d")!.scale(ratio, ratio);
    const scale = this.sized.width === 0 ? 1 : Math.min(width / this.sized.width, height / this.sized.height);
    this.sized = { width, height };
    this.pad.fromData(data.map((g) => scaled(g, scale)));
  }

  private undo(): void {
    if (!this.pad) return;
    this.pad.fromData(this.pad.toData().slice(0, -1));
    this.counted();
  }

  private clear(): void {
    this.pad?.clear();
    this.counted();
  }

  private async upload(event: Event): Promise<void> {
    const file = (event.target as HTMLInputElement).files?.[0];
    if (file) await this.take(file);
  }

  private async take(file: File): Promise<void> {
    try {
      this.picture = await pictured(file);
      this.trouble = "";
    } catch (e) {
      this.picture = "";
      this.trouble = (e as Error).message;
    }
  }

  private async use(event: Event): Promise<void> {
    event.preventDefault();
    const made = await this.made();
    if (!made) return;
    this.finish(made);
    this.dialog.close();
  }

  private async made(): Promise<Signature | undefined> {
    const text = this.text.trim();
    const image = this.way === "draw" ? trimmed(this.canvas) : this.way === "type" ? await this.typed(text) : this.picture;
    if (image !== "") return { method: this.way, image, ...this.how(text) };
    this.trouble = { draw: `Draw your ${this.what} first.`, type: `Type your ${this.what} first.`, upload: "Choose a picture first." }[this.way];
    return undefined;
  }

  private how(text: string): Pick<Signature, "text" | "face" | "strokes"> {
    if (this.way === "type") return { text, face: this.face };
    return this.way === "draw" ? { text: "", strokes: strokesOf(this.pad!.toData()) } : { text: "" };
  }

  private typed(text: string): Promise<string> {
    return text === "" ? Promise.resolve("") : written(text, this.face);
  }

  private finish(s: Signature | undefined): void {
    this.answer?.(s);
    this.answer = undefined;
  }

  private choose(way: Way): void {
    this.way = way;
    this.trouble = "";
    void this.updateComplete.then(() => this.fit());
  }

  protected override render(): unknown {
    return html`<dialog class="dialog wide sd" aria-labelledby="sd-title" @close=${() => this.finish(undefined)}>
      <form method="dialog" @submit=${this.use}>
        <div class="sd-head">
          <h2 class="subtitle" id="sd-title">Your ${this.what}</h2>
          <div class="sd-ways" role="group" aria-label="How">
            ${ways.map(([way, label, drawing]) => html`<button type="button" class="sd-way" aria-pressed=${this.way === way}
              @click=${() => this.choose(way)}>${icon(drawing)}<span>${label}</span></button>`)}
          </div>
          <button class="btn btn-ghost btn-square btn-sm" type="button" aria-label="Close" @click=${() => this.dialog.close()}>${icon("x")}</button>
        </div>
        <div class="sd-pane" ?hidden=${this.way !== "draw"}>
          <div class="sd-paper">
            <canvas class="sd-canvas" aria-label="Draw your ${this.what} here. If you cannot draw, choose Type."></canvas>
            <span class="sd-line" aria-hidden="true"></span>
          </div>
          <div class="sd-tools">
            <button class="btn btn-ghost btn-sm" type="button" ?disabled=${this.strokes === 0} @click=${this.undo}>${icon("undo")}Undo</button>
            <button class="btn btn-ghost btn-sm" type="button" ?disabled=${this.strokes === 0} @click=${this.clear}>${icon("trash")}Clear</button>
          </div>
        </div>
        <div class="sd-pane" ?hidden=${this.way !== "type"}>
          <label class="field"><span class="field-label">Type your ${this.what}</span>
            <input class="input field-input" dir="auto" maxlength="100" autocomplete="name" .value=${this.text}
              @input=${(e: Event) => (this.text = (e.target as HTMLInputElement).value)}></label>
          <div class="sd-faces" role="radiogroup" aria-label="Handwriting">
            ${faces.map(([name], i) => html`<label class="sd-face"><input class="radio radio-sm" type="radio" name="sd-face" value=${name}
              aria-label="Handwriting ${i + 1}" .checked=${this.face === name} @change=${() => (this.face = name)}>
              <span class="sd-script" data-face=${name} dir="auto" aria-hidden="true">${this.text}</span></label>`)}
          </div>
        </div>
        <div class="sd-pane" ?hidden=${this.way !== "upload"}>
          <label class="field"><span class="field-label">A picture of your ${this.what}, PNG or JPEG</span>
            <input class="file-input field-input" type="file" accept="image/png,image/jpeg" @change=${this.upload}></label>
          ${this.picture ? html`<div class="sd-paper sd-picture"><img src=${this.picture} alt="Your ${this.what}"></div>` : nothing}
        </div>
        ${this.trouble ? html`<p class="field-error mt-3" role="alert">${icon("warning")}<span>${this.trouble}</span></p>` : nothing}
        <div class="dialog-actions mt-4">
          <button class="btn btn-primary" type="submit">${this.what === "initials" ? "Use these initials" : "Use this signature"}</button>
        </div>
      </form>
    </dialog>`;
  }
}

function scaled(group: PointGroup, by: number): PointGroup {
  return { ...group, points: group.points.map((p) => ({ ...p, x: p.x * by, y: p.y * by })) };
}

customElements.define("paraph-signature-dialog", SignatureDialog);
