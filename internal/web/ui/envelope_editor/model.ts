import type { Box } from "../shared/box.ts";

export const fieldTypes = [
  "signature", "initials", "name", "email", "date", "text", "number", "phone", "checkbox", "radio", "select",
] as const;
export type FieldType = (typeof fieldTypes)[number];

export interface Page {
  document_id: string;
  document_name: string;
  /** From 0, within its document. */
  page: number;
  /** Of the picture, in any unit: only the proportion counts. */
  width: number;
  height: number;
  image: string;
}

export interface Recipient {
  id: string;
  name: string;
  email: string;
  role: string;
  /** 0 to 7; its place in the list when missing. */
  color?: number;
}

/** A field as the server stores it. Numbers that are not given are null. */
export interface Field extends Box {
  id: string;
  /** Made here, kept by the server's answer, so that a new field is recognised when it gets its id. */
  uid: string;
  document_id: string;
  page: number;
  type: FieldType;
  recipient_id: string;
  label: string;
  required: boolean;
  readonly: boolean;
  default: string;
  placeholder: string;
  options: string[];
  font_size: number | null;
  min: number | null;
  max: number | null;
}

export interface Layout {
  version: number;
  pages: Page[];
  recipients: Recipient[];
  fields: Field[];
}

/** Smallest side of a field, as a fraction of the page. */
const smallest = 0.008;

/** Sizes of new fields, as fractions of the page's width. */
const sizes: Record<FieldType, [number, number]> = {
  signature: [0.28, 0.075],
  initials: [0.11, 0.06],
  name: [0.26, 0.034],
  email: [0.3, 0.034],
  date: [0.17, 0.034],
  text: [0.26, 0.034],
  number: [0.15, 0.034],
  phone: [0.2, 0.034],
  checkbox: [0.03, 0.03],
  radio: [0.22, 0.09],
  select: [0.26, 0.034],
};

export const typeNames: Record<FieldType, string> = {
  signature: "Signature", initials: "Initials", name: "Name", email: "Email", date: "Date",
  text: "Text", number: "Number", phone: "Phone", checkbox: "Checkbox", radio: "Radio", select: "Select",
};

export function pageKey(p: { document_id: string; page: number }): string {
  return `${p.document_id}/${p.page}`;
}

export function newUid(): string {
  return crypto.getRandomValues(new Uint32Array(2)).reduce((s, n) => s + n.toString(36).padStart(7, "0"), "n");
}

/** A new field whose middle is at x, y, moved so that it is wholly on the page. */
export function newField(type: FieldType, page: Page, recipient: string, x: number, y: number): Field {
  const [w, wideHigh] = sizes[type];
  const h = (wideHigh * page.width) / page.height;
  return {
    id: "", uid: newUid(), document_id: page.document_id, page: page.page, type, recipient_id: recipient,
    ...onPage({ x: x - w / 2, y: y - h / 2, w, h }),
    label: "", required: type !== "checkbox", readonly: false, default: "", placeholder: "",
    options: type === "radio" || type === "select" ? ["First", "Second"] : [],
    font_size: null, min: null, max: null,
  };
}

/** The nearest box of that size, or less, that is wholly on the page. */
export function onPage(b: Box): Box {
  const w = clamp(b.w, smallest, 1);
  const h = clamp(b.h, smallest, 1);
  return { x: tidy(clamp(b.x, 0, 1 - w)), y: tidy(clamp(b.y, 0, 1 - h)), w: tidy(w), h: tidy(h) };
}

export type Handle = "n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "nw";

/** The box with one edge or corner pulled; the opposite one stays. */
export function pulled(b: Box, handle: Handle, dx: number, dy: number): Box {
  let [left, top, right, bottom] = [b.x, b.y, b.x + b.w, b.y + b.h];
  if (handle.includes("w")) left = clamp(left + dx, 0, right - smallest);
  if (handle.includes("e")) right = clamp(right + dx, left + smallest, 1);
  if (handle.includes("n")) top = clamp(top + dy, 0, bottom - smallest);
  if (handle.includes("s")) bottom = clamp(bottom + dy, top + smallest, 1);
  return { x: tidy(left), y: tidy(top), w: tidy(right - left), h: tidy(bottom - top) };
}

export interface Snapped {
  box: Box;
  /** Where guide lines are drawn, if it snapped. */
  x: number | undefined;
  y: number | undefined;
}

/** Moves a box lightly to the edges and middles of its neighbours. nearX and nearY say how far it lets itself be drawn. */
export function snapped(b: Box, others: Box[], nearX: number, nearY: number): Snapped {
  const [dx, x] = pull([b.x, b.x + b.w / 2, b.x + b.w], lines(others, "x", "w"), nearX);
  const [dy, y] = pull([b.y, b.y + b.h / 2, b.y + b.h], lines(others, "y", "h"), nearY);
  return { box: onPage({ ...b, x: b.x + dx, y: b.y + dy }), x, y };
}

function lines(others: Box[], at: "x" | "y", size: "w" | "h"): number[] {
  return [0.5, ...others.flatMap((o) => [o[at], o[at] + o[size] / 2, o[at] + o[size]])];
}

function pull(mine: number[], theirs: number[], near: number): [number, number | undefined] {
  let best: [number, number | undefined] = [0, undefined];
  let distance = near;
  for (const m of mine) {
    for (const t of theirs) {
      if (Math.abs(t - m) < distance) {
        distance = Math.abs(t - m);
        best = [t - m, t];
      }
    }
  }
  return best;
}

export function clamp(n: number, low: number, high: number): number {
  return Math.min(Math.max(n, low), high);
}

/** Six places are a tenth of a thousandth of a page: the same after any number of journeys through JSON. */
function tidy(n: number): number {
  return Math.round(n * 1e6) / 1e6;
}

/** What was and what can be again. Changes with the same tag in quick succession are one step. */
export class History {
  private past: Field[][] = [];
  private future: Field[][] = [];
  private tag = "";
  private at = 0;

  constructor(public now: Field[]) {}

  change(next: Field[], tag = ""): void {
    const time = Date.now();
    const same = tag !== "" && tag === this.tag && time - this.at < 1000;
    if (!same) this.past.push(this.now);
    if (this.past.length > 200) this.past.shift();
    this.future = [];
    this.now = next;
    this.tag = tag;
    this.at = time;
  }

  /** Gives fields the ids that the server gave them, in all steps, so that undo brings back the same field. */
  identify(ids: Map<string, string>): void {
    const named = (fields: Field[]) => fields.map((f) => (f.id === "" && ids.has(f.uid) ? { ...f, id: ids.get(f.uid)! } : f));
    this.past = this.past.map(named);
    this.future = this.future.map(named);
    this.now = named(this.now);
  }

  undo(): boolean {
    return this.step(this.past, this.future);
  }

  redo(): boolean {
    return this.step(this.future, this.past);
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  private step(from: Field[][], to: Field[][]): boolean {
    const fields = from.pop();
    if (!fields) return false;
    to.push(this.now);
    this.now = fields;
    this.tag = "";
    return true;
  }
}
