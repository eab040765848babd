import type { Box } from "../shared/box.ts";

/** A line of a page's text, for selection and for readers who hear. */
export interface Line extends Box {
  t: string;
}

export interface Page {
  document_id: string;
  document_name: string;
  page: number;
  width: number;
  height: number;
  image: string;
  text?: Line[];
  /** Where the text is, when it is not here: JSON, a list of lines. */
  text_url?: string;
}

export type FieldType = "signature" | "initials" | "name" | "email" | "date" | "text" | "number" | "phone" | "checkbox" | "radio" | "select";

/** A place of a field. Option is the choice that is ticked there; without one, all are offered. */
export interface Spot extends Box {
  document_id: string;
  page: number;
  option?: string;
}

export interface Field extends Spot {
  id: string;
  type: FieldType;
  label: string;
  required: boolean;
  readonly: boolean;
  placeholder: string;
  options: string[];
  value: string;
  /** A URL of the picture when it is signed already. */
  signature_image: string;
  min: number | null;
  max: number | null;
  /** Where the same value stands besides. */
  also?: Spot[];
}

export interface Task {
  envelope: { name: string; message: string; sender: string };
  recipient: { id: string; name: string; email: string; kind: string };
  pages: Page[];
  fields: Field[];
  /** What finishing means, in the words the signer agrees to. */
  consent?: string;
  /** PUT {values_url}/{field id}. */
  values_url: string;
  finish_url: string;
  decline_url: string;
}

export interface Signature {
  method: "draw" | "type" | "upload";
  /** A PNG as a data URL, or a JPEG that was chosen. */
  image: string;
  text: string;
  /** Of a typed one: what it is set in. */
  face?: string;
  /** Of a drawn one: for each stroke its points, as [x, y, pressure, ms]. */
  strokes?: number[][][];
}

/** The body of one PUT. */
export type Value = { value: string } | { signature: Signature };

export const typeNames: Record<FieldType, string> = {
  signature: "Signature", initials: "Initials", name: "Name", email: "Email", date: "Date",
  text: "Text", number: "Number", phone: "Phone", checkbox: "Checkbox", radio: "Choice", select: "Choice",
};

export function isSignature(f: Field): boolean {
  return f.type === "signature" || f.type === "initials";
}

export function nameOf(f: Field): string {
  return f.label || typeNames[f.type];
}

export function filled(f: Field): boolean {
  if (isSignature(f)) return f.signature_image !== "";
  if (f.type === "checkbox") return f.value === "true";
  return f.value !== "";
}

/** The order in which a reader meets the fields: pages, then lines from the top, then along the line. */
export function inReadingOrder(pages: Page[], fields: Field[]): Field[] {
  const at = (f: Field) => pages.findIndex((p) => p.document_id === f.document_id && p.page === f.page);
  const line = (f: Field) => Math.round(f.y * 100);
  return [...fields].sort((a, b) => at(a) - at(b) || line(a) - line(b) || a.x - b.x);
}

/** What stands against a value, as a sentence; "" for nothing. Emptiness is not looked at here. */
export function wrong(f: Field, value: string): string {
  if (value === "") return "";
  if (f.type === "email" && !/^[^\s@]+@[^\s@]+$/.test(value)) return "Enter an address like name@example.org.";
  if (f.type !== "number") return "";
  const n = Number(value);
  if (!Number.isFinite(n)) return "Enter a number.";
  if (f.min !== null && n < f.min) return `Enter ${f.min} or more.`;
  if (f.max !== null && n > f.max) return `Enter ${f.max} or less.`;
  return "";
}

/** The first letters of a name, for initials. */
export function initialsOf(name: string): string {
  return name.split(/[\s-]+/).filter(Boolean).map((w) => [...w][0]!.toUpperCase()).join("").slice(0, 4);
}
