import { html, nothing, type TemplateResult } from "lit";
import { type Field, isSignature, nameOf } from "./model.ts";
import { icon } from "../shared/icon.ts";

export interface Does {
  /** A value as it is being typed; commit says that the reader went on. */
  input(f: Field, value: string, commit: boolean): void;
  sign(f: Field): void;
  focus(f: Field): void;
}

export interface Shown {
  /** Where it stands: on the page at the page's scale, or in the bar at the reader's. */
  where: "page" | "bar";
  error: string;
  /** Something else beside it is the main thing to do. */
  instead?: boolean;
}

/** The input for one field. */
export function control(f: Field, shown: Shown, does: Does): TemplateResult {
  if (isSignature(f)) return signature(f, shown, does);
  switch (f.type) {
    case "checkbox":
      return checkbox(f, shown, does);
    case "radio":
      return radios(f, shown, does);
    case "select":
      return select(f, shown, does);
    default:
      return text(f, shown, does);
  }
}

function inputClass(shown: Shown, kind: "input" | "select"): string {
  return shown.where === "page" ? "sg-input" : `${kind} field-input`;
}

function described(f: Field, shown: Shown): string | typeof nothing {
  return shown.error ? `sg-error-${shown.where}-${f.id}` : nothing;
}

export function errorOf(f: Field, shown: Shown): unknown {
  if (!shown.error) return nothing;
  return html`<p class="field-error sg-error" id="sg-error-${shown.where}-${f.id}" role="alert">${icon("warning")}<span>${shown.error}</span></p>`;
}

function text(f: Field, shown: Shown, does: Does): TemplateResult {
  const kind = f.type === "date" || f.type === "email" ? f.type : f.type === "phone" ? "tel" : "text";
  return html`<input class=${inputClass(shown, "input")} id="sg-${shown.where}-${f.id}" type=${kind} dir="auto" aria-label=${nameOf(f)}
    inputmode=${f.type === "number" ? "decimal" : nothing} autocomplete=${f.type === "name" || f.type === "email" ? f.type : f.type === "phone" ? "tel" : "off"}
    placeholder=${f.placeholder || (shown.where === "page" ? nameOf(f) : "")} ?readonly=${f.readonly} aria-required=${f.required}
    aria-invalid=${shown.error ? "true" : nothing} aria-describedby=${described(f, shown)} maxlength="10000" .value=${f.value}
    @focus=${() => does.focus(f)} @input=${(e: Event) => does.input(f, value(e), false)} @change=${(e: Event) => does.input(f, value(e), true)}>`;
}

function select(f: Field, shown: Shown, does: Does): TemplateResult {
  return html`<select class=${inputClass(shown, "select")} id="sg-${shown.where}-${f.id}" aria-label=${nameOf(f)} ?disabled=${f.readonly}
    aria-required=${f.required} aria-invalid=${shown.error ? "true" : nothing} aria-describedby=${described(f, shown)}
    @focus=${() => does.focus(f)} @change=${(e: Event) => does.input(f, value(e), true)}>
    <option value="" .selected=${f.value === ""}>${f.placeholder || "Choose …"}</option>
    ${f.options.map((o) => html`<option value=${o} .selected=${o === f.value}>${o}</option>`)}
  </select>`;
}

function checkbox(f: Field, shown: Shown, does: Does): TemplateResult {
  const input = html`<input class=${shown.where === "page" ? "sg-check" : "checkbox"} id="sg-${shown.where}-${f.id}" type="checkbox"
    aria-label=${nameOf(f)} ?disabled=${f.readonly} aria-required=${f.required} aria-invalid=${shown.error ? "true" : nothing} .checked=${f.value === "true"}
    @focus=${() => does.focus(f)} @change=${(e: Event) => does.input(f, (e.target as HTMLInputElement).checked ? "true" : "", true)}>`;
  return shown.where === "page" ? input : html`<label class="choice">${input}<span>${nameOf(f)}</span></label>`;
}

function radios(f: Field, shown: Shown, does: Does): TemplateResult {
  return html`<div class=${shown.where === "page" ? "sg-radios" : "grid"} role="radiogroup" aria-label=${nameOf(f)} aria-required=${f.required}>
    ${f.options.map((o) => html`<label class=${shown.where === "page" ? "sg-radio" : "choice"}>
      <input class=${shown.where === "page" ? "" : "radio"} type="radio" name="sg-${shown.where}-${f.id}" value=${o} ?disabled=${f.readonly}
        .checked=${o === f.value} @focus=${() => does.focus(f)} @change=${() => does.input(f, o, true)}><span><bdi>${o}</bdi></span></label>`)}
  </div>`;
}

/** One choice of a radio field at its own place on the page. */
export function choice(f: Field, option: string, does: Does): TemplateResult {
  return html`<input class="sg-check" type="radio" name="sg-spot-${f.id}" value=${option} aria-label="${nameOf(f)}: ${option}" ?disabled=${f.readonly}
    .checked=${option === f.value} @focus=${() => does.focus(f)} @change=${() => does.input(f, option, true)}>`;
}

function signature(f: Field, shown: Shown, does: Does): TemplateResult {
  const verb = f.type === "initials" ? "Initial" : "Sign";
  const done = f.signature_image !== "";
  const label = done ? `${nameOf(f)}: change it` : `${verb} here: ${nameOf(f)}`;
  if (shown.where === "bar") {
    return html`<button class="btn ${done || shown.instead ? "" : "btn-primary"}" type="button" @click=${() => does.sign(f)}>${icon("pencil")}${done ? "Change" : verb}</button>`;
  }
  return html`<button class="sg-sign" type="button" id="sg-page-${f.id}" aria-label=${label} @focus=${(e: Event) => byKeyboard(e) && does.focus(f)} @click=${() => does.sign(f)}>
    ${done ? html`<img src=${f.signature_image} alt="">` : html`${icon("signature")}<span>${verb}</span>`}
  </button>`;
}

/** A pointer's press must not move the page under it before it is let go: the bar grows when a field becomes the current one. */
function byKeyboard(e: Event): boolean {
  return (e.target as Element).matches(":focus-visible");
}

function value(e: Event): string {
  return (e.target as HTMLInputElement).value;
}
