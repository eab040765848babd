import { svg, html, type TemplateResult } from "lit";

const paths: Record<string, string> = {
  signature: "M3 14c4-8 6-9 6-5s-2 6-1 6 2-4 3.500-4 .5 3 2 3 1.500-1.500 3.500-1.500M3 17h14",
  initials: "M3.500 15.500L7 4.500h.500l3.500 11M5 12h4.500M13 15.500v-11M13 4.500h4M13 9.500h3.500",
  name: "M10 10a3.300 3.300 0 100-6.600 3.300 3.300 0 000 6.600zM4 17c.3-3.600 2.600-5.300 6-5.300s5.700 1.700 6 5.300",
  email: "M3 5h14v10H3zM3 5.500l7 5.500 7-5.500",
  date: "M3.500 5h13v11.500h-13zM3.500 8.500h13M7 3v3M13 3v3",
  text: "M4 6V4h12v2M10 4v12M8 16h4",
  number: "M7.500 3.500l-1.500 13M14 3.500l-1.500 13M4 7.500h13M3 12.500h13",
  phone: "M5 3h3l1.500 4-2 1.500a9 9 0 004 4l1.500-2 4 1.500v3a1.500 1.500 0 01-1.700 1.500A13 13 0 013.500 4.700 1.500 1.500 0 015 3z",
  checkbox: "M4 4h12v12H4zM7 10l2.200 2.300L13 7.500",
  radio: "M10 3.500a6.500 6.500 0 100 13 6.500 6.500 0 000-13zM10 8.500a1.500 1.500 0 100 3 1.500 1.500 0 000-3z",
  select: "M3 5.500h14v9H3zM11 9l1.500 1.800L14 9",
  undo: "M7 4L3.500 7.500 7 11M3.500 7.500H12a4.500 4.500 0 010 9H8",
  redo: "M13 4l3.500 3.500L13 11M16.500 7.500H8a4.500 4.500 0 000 9h4",
  trash: "M4 6h12M8 6V4h4v2M5.500 6l.7 11h7.600l.7-11M8.500 9v5M11.500 9v5",
  copy: "M7 7h9v9H7zM4 13V4h9",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  x: "M5 5l10 10M15 5L5 15",
  check: "M4 10.500l4 4 8-9",
  up: "M5 12l5-5 5 5",
  down: "M5 8l5 5 5-5",
  left: "M12 5l-5 5 5 5",
  cloud: "M6 15.500a3.500 3.500 0 01-.3-7A4.500 4.500 0 0114.400 8a3.800 3.800 0 01-.4 7.500zM8 11.500l1.700 1.700L13 10",
  warning: "M10 3.500L18 16.500H2zM10 8.500v3.500M10 14.200v.01",
  pencil: "M3.500 16.500l.8-3.600L13.600 3.600l2.800 2.800-9.300 9.300zM11.800 5.400l2.800 2.800",
  upload: "M10 14V4M6 7.500l4-4 4 4M4 17h12",
  file: "M5 2.500h6.500L15 6v11.500H5zM11.500 2.500V6H15M7.500 10h5M7.500 13h5",
};

/** A small silent drawing beside a word, on the same grid as the server's icons. */
export function icon(name: string): TemplateResult {
  return html`<svg class="icon" width="18" height="18" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${svg`<path d=${paths[name] ?? ""}></path>`}</svg>`;
}
