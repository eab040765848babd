/** What a server said that was not 2xx. */
export class Refused extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** Asks for JSON, and sends some. Throws Refused for an answer that is not 2xx, TypeError when there was none. */
export async function json<T>(method: string, url: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(url, {
    method, headers, credentials: "same-origin", body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Refused(answer.status, sentence(text) || `The server answered ${answer.status}.`);
  return (text ? JSON.parse(text) : {}) as T;
}

/** The sentence for people in an error's body: {"error": "…"}. */
function sentence(text: string): string {
  try {
    const body = JSON.parse(text) as { error?: unknown; message?: unknown };
    const said = body.error ?? body.message;
    return typeof said === "string" ? said : "";
  } catch {
    return "";
  }
}

/** Whether trying the same again later can help. */
export function passing(e: unknown): boolean {
  return !(e instanceof Refused) || e.status >= 500 || e.status === 408 || e.status === 429;
}

/** Storage that may be full or forbidden; then nothing is kept. */
export const keep = {
  get<T>(key: string): T | undefined {
    try {
      const text = localStorage.getItem(key);
      return text === null ? undefined : (JSON.parse(text) as T);
    } catch {
      return undefined;
    }
  },
  set(key: string, value: unknown): void {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Full or forbidden: the page still holds the value and warns before it is left.
    }
  },
  drop(key: string): void {
    try {
      localStorage.removeItem(key);
    } catch {
      // Forbidden: there is nothing to drop.
    }
  },
};
