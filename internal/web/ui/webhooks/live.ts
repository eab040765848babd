const soonest = 3000;
const latest = 30_000;

/**
 * Keeps the parts with data-live and an id as the server has them, while the page is looked at. A part whose data-live is "rows" is
 * compared row by row, by their ids; any other is taken as a whole. It asks less and less often while nothing changes or the server is
 * away, at once when the reader comes back, and no more when the server says of no part that it lives.
 */
export function keepLive(): void {
  const ids = [...document.querySelectorAll<HTMLElement>("[data-live][id]")].map((part) => part.id);
  if (ids.length > 0) new Live(ids).begin();
}

class Live {
  /** The shortest wait, which the server may name in data-live. */
  readonly #soonest: number;
  #wait: number;
  #timer = 0;
  #asking = false;
  #over = false;
  /** What the server last sent of each part and row, for the page changes some of it: times, what is open. */
  #sent = new Map<string, string>();
  /** The newest row of the list's first page, when it was first asked for from another page. */
  #newest = -1;

  constructor(readonly ids: string[]) {
    this.#soonest = Math.min(...ids.map((id) => Number(document.getElementById(id)?.dataset["live"]) || soonest));
    this.#wait = this.#soonest;
    for (const id of ids) {
      const part = document.getElementById(id);
      if (!part) continue;
      this.#sent.set(id, shape(part));
      for (const row of rowsOf(part)) {
        this.#sent.set(row.id, shape(row));
      }
    }
  }

  begin(): void {
    const back = () => {
      if (document.hidden || this.#over) return;
      this.#wait = this.#soonest;
      this.#later(0);
    };
    document.addEventListener("visibilitychange", back);
    addEventListener("online", back);
    addEventListener("pageshow", (e) => e.persisted && back());
    countDown(() => !document.hidden && this.#later(1000));
    this.#later();
  }

  #later(wait = this.#wait): void {
    clearTimeout(this.#timer);
    if (!this.#over) this.#timer = window.setTimeout(() => void this.#again(), wait);
  }

  async #again(): Promise<void> {
    if (document.hidden || this.#asking) return; // coming back asks again
    this.#asking = true;
    const fresh = await ask(location.href);
    if (fresh === "gone") {
      this.#over = true;
      return;
    }
    const changed = fresh !== "away" && (this.#take(fresh) || (await this.#lookAhead()));
    this.#asking = false;
    this.#wait = changed ? this.#soonest : Math.min(this.#wait * 1.5, latest);
    if (!this.#over) this.#later();
  }

  /** Brings the page up to date and tells whether anything was new. */
  #take(fresh: Document): boolean {
    let changed = false;
    let lives = false;
    for (const id of this.ids) {
      const part = document.getElementById(id);
      const next = fresh.getElementById(id);
      if (!part || !next) continue;
      lives ||= next.hasAttribute("data-live");
      const rows = part.dataset["live"] === "rows" && rowsOf(part).length > 0 && rowsOf(next).length > 0;
      changed = (rows ? this.#takeRows(part, next) : this.#takeWhole(part, next)) || changed;
    }
    this.#over = !lives && !this.ids.some((id) => busy(document.getElementById(id)));
    return changed;
  }

  #takeWhole(part: HTMLElement, next: HTMLElement): boolean {
    if (this.#sent.get(part.id) === shape(next)) return false;
    if (busy(part)) return true; // the next time
    this.#sent.set(part.id, shape(next));
    for (const row of rowsOf(next)) {
      this.#sent.set(row.id, shape(row));
    }
    part.replaceWith(opened(part, next));
    return true;
  }

  #takeRows(part: HTMLElement, next: HTMLElement): boolean {
    const fresh = rowsOf(next);
    const first = rowsOf(part)[0];
    const parent = first?.parentElement;
    if (!first || !parent) return false;
    let changed = false;
    for (const row of fresh) {
      const was = document.getElementById(row.id);
      if (!was || this.#sent.get(row.id) === shape(row)) continue;
      changed = true;
      if (busy(was)) continue;
      this.#sent.set(row.id, shape(row));
      was.replaceWith(opened(was, row));
    }
    const added = fresh.filter((row) => !document.getElementById(row.id));
    if (added.length === 0) return changed;
    if ("first" in part.dataset && !atRest(part)) return this.#announce(part, added.length);
    if (busy(part)) return true;
    this.#insert(part, next, added);
    return true;
  }

  /** Puts new rows where the server has them, and takes away those that have left the page. */
  #insert(part: HTMLElement, next: HTMLElement, added: HTMLElement[]): void {
    const parent = rowsOf(part)[0]?.parentElement;
    if (!parent) return;
    for (const row of added) {
      this.#sent.set(row.id, shape(row));
    }
    const order = rowsOf(next);
    for (const row of rowsOf(part)) if (!order.some((r) => r.id === row.id)) row.remove();
    order.forEach((row, i) => {
      const there = document.getElementById(row.id) ?? document.importNode(row, true);
      const before = rowsOf(part)[i] ?? null;
      if (there !== before) parent.insertBefore(there, before);
    });
    part.querySelector("[data-news]")?.replaceChildren();
  }

  /** From another page than a list's first, asks whether there is something new on that. */
  async #lookAhead(): Promise<boolean> {
    const part = document.querySelector<HTMLElement>("[data-live][data-first][data-paged]");
    if (!part) return false;
    const fresh = await ask(part.dataset["first"] ?? "");
    const list = typeof fresh === "string" ? null : fresh.getElementById(part.id);
    if (!list) return false;
    const numbers = rowsOf(list).map((row) => Number(row.dataset["id"]));
    if (this.#newest < 0) this.#newest = Math.max(0, ...numbers);
    return this.#announce(part, numbers.filter((n) => n > this.#newest).length);
  }

  /** Says that there is something new, where showing it would take the rows from under the reader. */
  #announce(part: HTMLElement, n: number): boolean {
    const news = part.querySelector<HTMLElement>("[data-news]");
    if (!news || n === 0) return false;
    const text = n >= 25 ? "Many new deliveries – show" : `${n} new deliver${n === 1 ? "y" : "ies"} – show`;
    if (news.textContent === text) return false;
    const link = document.createElement("a");
    link.className = "btn btn-sm";
    link.href = part.dataset["first"] ?? location.pathname;
    link.textContent = text;
    news.replaceChildren(link);
    return true;
  }
}

/** What a part says, but for the words of its times, which the page keeps true itself. */
function shape(part: HTMLElement): string {
  const copy = document.importNode(part, true);
  for (const time of copy.querySelectorAll("time")) {
    time.textContent = "";
    time.title = "";
  }
  return copy.outerHTML;
}

function rowsOf(part: HTMLElement): HTMLElement[] {
  const rows = part.querySelectorAll<HTMLElement>("tbody > tr[id]");
  return rows.length > 0 ? [...rows] : [...part.children].filter((c): c is HTMLElement => c instanceof HTMLElement && c.id !== "");
}

/** Nobody is in the middle of a list: its top is seen, and neither pointer nor focus is in it. */
function atRest(part: HTMLElement): boolean {
  return part.getBoundingClientRect().top >= 0 && !part.matches(":hover") && !busy(part);
}

/** Nothing is taken from under a hand: a focused control, a selected text, an open dialog. */
function busy(part: HTMLElement | null): boolean {
  if (!part) return false;
  const selection = getSelection();
  return part.contains(document.activeElement) || document.querySelector("dialog[open]") !== null ||
    (selection !== null && !selection.isCollapsed && selection.anchorNode !== null && part.contains(selection.anchorNode));
}

/** The page as it is now; "away" when the server does not answer well, "gone" when there is no such page for this reader any more. */
async function ask(url: string): Promise<Document | "away" | "gone"> {
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (answer.redirected || (answer.status >= 400 && answer.status < 500 && answer.status !== 429)) return "gone";
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : "away";
  } catch {
    return "away";
  }
}

/** The fresh part, its details open as the reader had them; what is new is as the server says. */
function opened(part: HTMLElement, fresh: HTMLElement): HTMLElement {
  const next = document.importNode(fresh, true);
  const details = [...next.querySelectorAll<HTMLDetailsElement>("details[id]")];
  if (next instanceof HTMLDetailsElement) details.push(next);
  for (const d of details) {
    const was = part.id === d.id ? part : part.querySelector("#" + CSS.escape(d.id));
    if (was instanceof HTMLDetailsElement) d.open = was.open;
  }
  return next;
}

/** Counts down every <time data-countdown>, in the words of webhooks.Ahead, and tells when one of them has come. */
function countDown(due: () => void): void {
  setInterval(() => {
    if (document.hidden) return;
    let come = false;
    for (const el of document.querySelectorAll<HTMLTimeElement>("time[data-countdown]")) {
      const words = ahead(new Date(el.dateTime).getTime() - Date.now());
      come ||= words === "now" && el.textContent !== "now";
      if (el.textContent !== words) el.textContent = words;
    }
    if (come) due();
  }, 1000);
}

/** How far off a moment is, to the second while that is near. */
function ahead(ms: number): string {
  const s = Math.round(ms / 1000);
  if (s <= 0) return "now";
  if (s < 60) return `in ${s} s`;
  if (s < 3600) return "in " + two(s, 60, 1, "min", "s");
  if (s < 48 * 3600) return "in " + two(s, 3600, 60, "h", "min");
  return `in ${Math.floor((s + 12 * 3600) / (24 * 3600))} days`;
}

function two(s: number, big: number, small: number, bigName: string, smallName: string): string {
  const rest = Math.floor((s % big) / small);
  return `${Math.floor(s / big)} ${bigName}` + (rest > 0 ? ` ${rest} ${smallName}` : "");
}
