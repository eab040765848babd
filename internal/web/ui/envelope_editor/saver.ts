import { json, keep, passing, Refused } from "../shared/net.ts";
import type { Field, Layout } from "./model.ts";

export type SaveState =
  | { is: "saved" }
  | { is: "saving" }
  | { is: "unsaved" }
  | { is: "offline" }
  | { is: "conflict"; theirs: Layout }
  | { is: "refused"; why: string };

interface Stored {
  version: number;
  fields: (Field & { uid?: string })[];
}

const quiet = 500;
const retries = [1000, 2000, 5000, 10_000, 30_000];

/**
 * Sends the fields some moments after the last change, one request at a time, until the server has them. What it has not is
 * kept in the browser's storage under the address of the layout and the version it was made from.
 */
export class Saver {
  state: SaveState = { is: "saved" };
  private fields: Field[] = [];
  private changed = 0;
  private confirmed = 0;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly url: string,
    private version: number,
    private readonly onState: (s: SaveState) => void,
    private readonly onIds: (ids: Map<string, string>) => void,
  ) {
    addEventListener("online", this.retry);
  }

  stop(): void {
    clearTimeout(this.timer);
    removeEventListener("online", this.retry);
  }

  /** What an earlier visit could not save. */
  static leftOver(url: string): Stored | undefined {
    return keep.get<Stored>(key(url));
  }

  static forget(url: string): void {
    keep.drop(key(url));
  }

  change(fields: Field[]): void {
    this.fields = fields;
    this.changed++;
    keep.set(key(this.url), { version: this.version, fields });
    if (this.state.is === "conflict") return;
    if (this.state.is !== "offline") this.become({ is: "unsaved" });
    this.plan(quiet);
  }

  /** Goes on from the version that somebody else made, with my fields in it. */
  overwrite(version: number): void {
    this.version = version;
    this.become({ is: "unsaved" });
    this.changed++;
    this.plan(0);
  }

  /** Sends now what is not sent; true when the server has everything. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer);
    await this.running;
    if (this.changed !== this.confirmed && this.state.is !== "conflict") await this.send();
    return this.changed === this.confirmed;
  }

  get pending(): boolean {
    return this.changed !== this.confirmed;
  }

  private readonly retry = (): void => {
    if (this.pending && this.state.is !== "conflict") this.plan(0);
  };

  private plan(wait: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), wait);
  }

  private send(): Promise<void> {
    this.running ??= this.put().finally(() => (this.running = undefined));
    return this.running;
  }

  private async put(): Promise<void> {
    const change = this.changed;
    const sent = this.fields;
    this.become({ is: "saving" });
    try {
      this.accept(await json<Stored>("PUT", this.url, { version: this.version, fields: sent }), sent, change);
    } catch (e) {
      await this.fail(e);
    }
  }

  private accept(stored: Stored, sent: Field[], change: number): void {
    this.version = stored.version;
    this.tries = 0;
    this.onIds(idsOf(sent, stored.fields));
    this.confirmed = change;
    if (this.pending) {
      keep.set(key(this.url), { version: this.version, fields: this.fields });
      this.become({ is: "unsaved" });
      this.plan(quiet);
      return;
    }
    keep.drop(key(this.url));
    this.become({ is: "saved" });
  }

  private async fail(e: unknown): Promise<void> {
    if (e instanceof Refused && e.status === 409) {
      try {
        this.become({ is: "conflict", theirs: await json<Layout>("GET", this.url) });
        return;
      } catch {
        // Not even that answers now: try the whole again later.
      }
    } else if (!passing(e)) {
      this.become({ is: "refused", why: (e as Error).message });
      return;
    }
    this.become({ is: "offline" });
    this.plan(retries[Math.min(this.tries++, retries.length - 1)]!);
  }

  /** Keeps the fields after an answer named the new ones, without another save. */
  identified(fields: Field[]): void {
    this.fields = fields;
  }

  private become(state: SaveState): void {
    this.state = state;
    this.onState(state);
  }
}

function key(url: string): string {
  return `paraph:fields:${url}`;
}

/** The ids of fields that had none when they were sent: by uid when the server echoes it, by place when not. */
export function idsOf(sent: Field[], stored: (Partial<Field> & { id: string })[]): Map<string, string> {
  const ids = new Map<string, string>();
  const echoed = new Map(stored.filter((f) => f.uid).map((f) => [f.uid!, f.id]));
  sent.forEach((f, i) => {
    const id = echoed.get(f.uid) ?? (stored.length === sent.length ? stored[i]?.id : undefined);
    if (f.id === "" && id) ids.set(f.uid, id);
  });
  return ids;
}
