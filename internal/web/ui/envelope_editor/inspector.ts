import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../shared/icon.ts";
import { type Field, type Recipient, typeNames } from "./model.ts";

export interface Does {
  change(field: Field, tag: string): void;
  remove(): void;
  duplicate(): void;
  close(): void;
}

/** The panel that says all about one field. */
export function inspector(f: Field, recipients: Recipient[], does: Does): TemplateResult {
  const set = (part: Partial<Field>) => does.change({ ...f, ...part }, `${Object.keys(part).join()} ${f.uid}`);
  return html`
    <div class="fe-inspector-head">
      <h2 class="subtitle">${typeNames[f.type]}</h2>
      <button class="btn btn-ghost btn-square btn-sm" type="button" aria-label="Duplicate" title="Duplicate (Ctrl+D)" @click=${does.duplicate}>${icon("copy")}</button>
      <button class="btn btn-ghost btn-square btn-sm" type="button" aria-label="Delete" title="Delete (Del)" @click=${does.remove}>${icon("trash")}</button>
      <button class="btn btn-ghost btn-square btn-sm fe-close" type="button" aria-label="Close" @click=${does.close}>${icon("x")}</button>
    </div>
    <div class="fe-inspector-fields">
      ${choice("Recipient", f.recipient_id, recipients.map((r) => [r.id, r.name || r.email]), (v) => set({ recipient_id: v }))}
      ${text("Label", f.label, (v) => set({ label: v }), typeNames[f.type])}
      ${hasOptions(f) ? options(f, set) : nothing}
      ${hasPlaceholder(f) ? text("Placeholder", f.placeholder, (v) => set({ placeholder: v })) : nothing}
      ${defaultOf(f, set)}
      ${f.type === "number" ? bounds(f, set) : nothing}
      ${hasText(f) ? number("Font size", f.font_size, (v) => set({ font_size: v }), "Automatic", 4, 72) : nothing}
      ${check("Required", f.required, (v) => set({ required: v, readonly: v ? false : f.readonly }))}
      ${hasDefault(f) ? check("Read-only", f.readonly, (v) => set({ readonly: v, required: v ? false : f.required })) : nothing}
    </div>`;
}

type Set = (part: Partial<Field>) => void;

function hasOptions(f: Field): boolean {
  return f.type === "radio" || f.type === "select";
}

function hasText(f: Field): boolean {
  return !["signature", "initials", "checkbox"].includes(f.type);
}

function hasPlaceholder(f: Field): boolean {
  return ["text", "number", "name", "email"].includes(f.type);
}

function hasDefault(f: Field): boolean {
  return ["text", "number", "date", "checkbox", "radio", "select"].includes(f.type);
}

function defaultOf(f: Field, set: Set): unknown {
  if (!hasDefault(f)) return nothing;
  if (f.type === "checkbox") return check("Checked by default", f.default === "true", (v) => set({ default: v ? "true" : "" }));
  if (hasOptions(f)) return choice("Default value", f.default, [["", "None"], ...f.options.map((o): [string, string] => [o, o])], (v) => set({ default: v }));
  const kind = f.type === "date" ? "date" : f.type === "number" ? "number" : "text";
  return html`<label class="field"><span class="field-label">Default value</span>
    <input class="input field-input" type=${kind} step="any" .value=${f.default} @input=${(e: Event) => set({ default: value(e) })}></label>`;
}

function options(f: Field, set: Set): TemplateResult {
  const lines = (e: Event) => value(e).split("\n").map((o) => o.trim()).filter((o, i, all) => o !== "" && all.indexOf(o) === i);
  return html`<label class="field"><span class="field-label">Options, one per line</span>
    <textarea class="textarea field-input" rows="4" .value=${f.options.join("\n")} @change=${(e: Event) => changeOptions(f, lines(e), set)}></textarea></label>`;
}

function changeOptions(f: Field, options: string[], set: Set): void {
  set({ options, default: options.includes(f.default) ? f.default : "" });
}

function bounds(f: Field, set: Set): TemplateResult {
  return html`<div class="grid grid-cols-2 gap-3">
    ${number("At least", f.min, (v) => set({ min: v }))} ${number("At most", f.max, (v) => set({ max: v }))}
  </div>`;
}

function text(label: string, now: string, set: (v: string) => void, placeholder = ""): TemplateResult {
  return html`<label class="field"><span class="field-label">${label}</span>
    <input class="input field-input" dir="auto" maxlength="200" placeholder=${placeholder} .value=${now} @input=${(e: Event) => set(value(e))}></label>`;
}

function number(label: string, now: number | null, set: (v: number | null) => void, placeholder = "", min?: number, max?: number): TemplateResult {
  const read = (e: Event) => {
    const input = e.target as HTMLInputElement;
    if (input.validity.valid) set(input.value === "" ? null : input.valueAsNumber);
  };
  return html`<label class="field"><span class="field-label">${label}</span>
    <input class="input field-input num" type="number" step="any" inputmode="decimal" placeholder=${placeholder} min=${min ?? nothing} max=${max ?? nothing}
      .value=${now === null ? "" : String(now)} @input=${read}></label>`;
}

function choice(label: string, now: string, all: [string, string][], set: (v: string) => void): TemplateResult {
  return html`<label class="field"><span class="field-label">${label}</span>
    <select class="select field-input" @change=${(e: Event) => set(value(e))}>
      ${all.map(([v, name]) => html`<option value=${v} .selected=${v === now}>${name}</option>`)}
    </select></label>`;
}

function check(label: string, now: boolean, set: (v: boolean) => void): TemplateResult {
  return html`<label class="choice"><input class="checkbox" type="checkbox" .checked=${now}
    @change=${(e: Event) => set((e.target as HTMLInputElement).checked)}><span>${label}</span></label>`;
}

function value(e: Event): string {
  return (e.target as HTMLInputElement).value;
}
