import { json, keep, passing } from "../shared/net.ts";
import type { Value } from "./model.ts";

const retries = [1000, 2000, 5000, 10_000, 30_000];

export interface Listener {
  /** Something changed: how many values wait, and whether the server answers. */
  changed(): void;
  /** The server will not have this value, and says why. */
  refused(field: string, why: string): void;
}

/**
 * Values on their way to the server, the newest for each field. They are kept in the browser's storage until the server has
 * them, and sent again when the page comes back or the line does.
 */
export class Outbox {
  offline = false;
  private waiting: Map<string, Value>;
  private timers = new Map<string, ReturnType<typeof setTimeout>>();
  private again: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | undefined;
  private tries = 0;

  constructor(private readonly url: string, private readonly listener: Listener) {
    this.waiting = new Map(Object.entries(keep.get<Record<string, Value>>(this.key) ?? {}));
    addEventListener("online", this.wake);
  }

  stop(): void {
    removeEventListener("online", this.wake);
    clearTimeout(this.again);
  }

  /** What was not sent when the page was last left. */
  get left(): ReadonlyMap<string, Value> {
    return this.waiting;
  }

  get pending(): number {
    return this.waiting.size;
  }

  put(field: string, value: Value, wait: number): void {
    this.waiting.set(field, value);
    this.store();
    clearTimeout(this.timers.get(field));
    this.timers.set(field, setTimeout(() => this.wake(), wait));
    this.listener.changed();
  }

  /** Takes a value back that must not be sent. */
  take(field: string): void {
    clearTimeout(this.timers.get(field));
    if (this.waiting.delete(field)) this.store();
    this.listener.changed();
  }

  /** Sends what waits; true when nothing does any more. */
  async flush(): Promise<boolean> {
    for (const timer of this.timers.values()) clearTimeout(timer);
    await this.running;
    await this.run();
    return this.waiting.size === 0;
  }

  readonly wake = (): void => {
    clearTimeout(this.again);
    void this.run();
  };

  private run(): Promise<void> {
    this.running ??= this.drain().finally(() => {
      this.running = undefined;
      this.listener.changed();
    });
    return this.running;
  }

  private async drain(): Promise<void> {
    for (let next = first(this.waiting); next; next = first(this.waiting)) {
      const [field, value] = next;
      if (!(await this.send(field, value))) return;
    }
  }

  private async send(field: string, value: Value): Promise<boolean> {
    try {
      await json("PUT", `${this.url}/${encodeURIComponent(field)}`, value);
    } catch (e) {
      if (passing(e)) {
        this.offline = true;
        this.again = setTimeout(this.wake, retries[Math.min(this.tries++, retries.length - 1)]);
        return false;
      }
      if (this.waiting.get(field) === value) this.done(field);
      this.listener.refused(field, (e as Error).message);
      return true;
    }
    this.offline = false;
    this.tries = 0;
    if (this.waiting.get(field) === value) this.done(field);
    return true;
  }

  private done(field: string): void {
    this.waiting.delete(field);
    this.store();
    this.listener.changed();
  }

  private store(): void {
    if (this.waiting.size === 0) keep.drop(this.key);
    else keep.set(this.key, Object.fromEntries(this.waiting));
  }

  private get key(): string {
    return `paraph:values:${this.url}`;
  }
}

function first<K, V>(map: Map<K, V>): [K, V] | undefined {
  return map.entries().next().value;
}
