import { passing, Refused } from "../shared/net.ts";

interface Saved {
  /** The ids of the recipients' rows, in their order; "" for a blank one. */
  ids: string[];
  /** What could not be stored, by the name of its input. */
  wrong: Record<string, string>;
}

const quiet = 800;
const retry = 5000;

/** Saves a form with data-autosave some moments after the last change, one request at a time. */
class Autosave {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | undefined;
  private changed = 0;
  private saved = 0;

  constructor(private readonly form: HTMLFormElement) {
    const change = () => this.change();
    form.addEventListener("input", change);
    form.addEventListener("change", change);
    form.addEventListener("rows", change);
    form.addEventListener("stored", (e) => {
      e.preventDefault();
      void this.reload();
    });
    form.addEventListener("submit", () => this.stop());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden && this.changed !== this.saved) void this.save();
    });
  }

  private change(): void {
    this.changed++;
    this.plan(quiet);
  }

  private plan(wait: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(), wait);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.saved = this.changed;
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
    const rows = [...this.form.querySelectorAll<HTMLElement>("[data-rows] > [data-row]")];
    this.say("Saving …");
    try {
      this.accept(rows, await post(this.form), change);
    } catch (e) {
      this.say(passing(e) ? "Not saved yet – trying again" : (e as Error).message);
      if (passing(e)) this.plan(retry);
    }
  }

  private accept(rows: HTMLElement[], answer: Saved, change: number): void {
    rows.forEach((row, i) => {
      const id = row.querySelector<HTMLInputElement>("input[name=recipient_id]");
      if (id && answer.ids[i]) id.value = answer.ids[i];
    });
    this.saved = change;
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
