import { keep, passing, Refused } from "../shared/net.ts";

interface Saved {
  /** The ids of the recipients' rows, in their order; "" for a blank one. */
  ids: string[];
  /** What could not be stored, by the name of its input. */
  wrong: Record<string, string>;
}

const quiet = 800;
const retry = 5000;

/** What a form says: its inputs by name, in their order, without files and the ids that the server gives. */
type Words = [name: string, value: string][];

/** What is not stored yet, and what the server had when it was typed. */
interface Left {
  base: Words;
  now: Words;
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

function controls(form: HTMLFormElement): Control[] {
  return ([...form.elements] as Control[]).filter((c) => c.name && c.name !== "recipient_id" && !["file", "submit", "hidden"].includes(c.type));
}

const ticks = (c: Control): c is HTMLInputElement => c.type === "checkbox" || c.type === "radio";

function words(form: HTMLFormElement): Words {
  return controls(form).map((c) => [c.name, ticks(c) ? String(c.checked) : c.value]);
}

const same = (a: Words, b: Words) => JSON.stringify(a) === JSON.stringify(b);

/**
 * Saves a form with data-autosave some moments after the last change, one request at a time. What the server has not is kept
 * in the browser's storage, and put back when the page comes again and nobody has changed the form meanwhile.
 */
class Autosave {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | undefined;
  private changed = 0;
  private saved = 0;
  private base: Words;

  constructor(private readonly form: HTMLFormElement) {
    const change = () => this.change();
    form.addEventListener("input", change);
    form.addEventListener("change", change);
    form.addEventListener("rows", () => this.change(0));
    form.addEventListener("stored", (e) => {
      e.preventDefault();
      void this.reload();
    });
    form.addEventListener("submit", () => this.stop());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden && this.changed !== this.saved) void this.save();
    });
    this.base = words(form);
    this.putBack();
  }

  private change(wait = quiet): void {
    this.changed++;
    keep.set(this.key, { base: this.base, now: words(this.form) } satisfies Left);
    this.plan(wait);
  }

  private get key(): string {
    return `draft ${this.form.action}`;
  }

  /** Enters again what was typed and not stored before the page went away. */
  private putBack(): void {
    const left = keep.get<Left>(this.key);
    keep.drop(this.key);
    if (!left || !same(left.base, this.base) || left.now.length !== this.base.length) return;
    controls(this.form).forEach((c, i) => {
      const value = left.now[i]?.[1] ?? "";
      if (ticks(c)) c.checked = value === "true";
      else c.value = value;
    });
    this.form.dispatchEvent(new Event("change", { bubbles: true }));
  }

  private plan(wait: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(), wait);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.saved = this.changed;
    keep.drop(this.key);
  }

  /** New documents are stored: the page is made anew, with what was typed. */
  private async reload(): Promise<void> {
    clearTimeout(this.timer);
    await this.running;
    await this.save();
    location.reload();
  }

  private save(): Promise<void> {
    clearTimeout(this.timer);
    this.running ??= this.send().finally(() => (this.running = undefined));
    return this.running;
  }

  private async send(): Promise<void> {
    const change = this.changed;
    const sent = words(this.form);
    const rows = [...this.form.querySelectorAll<HTMLElement>("[data-rows] > [data-row]")];
    this.say("Saving …");
    try {
      this.accept(rows, await post(this.form), change, sent);
    } catch (e) {
      this.say(passing(e) ? "Not saved yet – trying again" : (e as Error).message);
      if (passing(e)) this.plan(retry);
    }
  }

  private accept(rows: HTMLElement[], answer: Saved, change: number, sent: Words): void {
    rows.forEach((row, i) => {
      const id = row.querySelector<HTMLInputElement>("input[name=recipient_id]");
      if (id && answer.ids[i]) id.value = answer.ids[i];
    });
    this.saved = change;
    this.base = sent;
    if (this.changed === change) keep.drop(this.key);
    const why = Object.values(answer.wrong)[0];
    this.say(why ? `Not all is saved: ${why}` : "Saved");
    if (this.changed !== change) this.plan(quiet);
  }

  private say(text: string): void {
    const place = this.form.querySelector("[data-saved]");
    if (place && place.textContent !== text) place.textContent = text;
  }
}

async function post(form: HTMLFormElement): Promise<Saved> {
  const body = new FormData(form);
  for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" }, credentials: "same-origin" });
  const said = (await answer.json().catch(() => ({}))) as Partial<Saved> & { error?: string };
  if (!answer.ok) throw new Refused(answer.status, said.error ?? `The server answered ${answer.status}.`);
  return { ids: said.ids ?? [], wrong: said.wrong ?? {} };
}

export function saveAsYouGo(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-autosave]")) new Autosave(form);
}
