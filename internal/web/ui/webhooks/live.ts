const every = 3000;

/** Asks again for a part with data-live while the page is looked at, until the server says that it is at rest. */
export function keepLive(): void {
  const part = document.querySelector<HTMLElement>("[data-live][id]");
  if (part) later(part);
}

function later(part: HTMLElement): void {
  setTimeout(() => void again(part), Number(part.dataset["live"]) || every);
}

async function again(part: HTMLElement): Promise<void> {
  if (document.hidden || busy(part)) return later(part);
  const fresh = await ask(part.id);
  if (!fresh) return later(part);
  if (busy(part)) return later(part);
  const next = opened(part, fresh);
  part.replaceWith(next);
  if (next.hasAttribute("data-live")) later(next);
}

/** Nothing is taken from under a hand: a focused control, a selected text, an open dialog. */
function busy(part: HTMLElement): boolean {
  const selection = getSelection();
  return part.contains(document.activeElement) || document.querySelector("dialog[open]") !== null ||
    (selection !== null && !selection.isCollapsed && selection.anchorNode !== null && part.contains(selection.anchorNode));
}

async function ask(id: string): Promise<HTMLElement | null> {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
  } catch {
    return null; // the server is away; the next time may do
  }
}

/** The fresh part, its details open as the reader had them; what is new is as the server says. */
function opened(part: HTMLElement, fresh: HTMLElement): HTMLElement {
  for (const details of fresh.querySelectorAll<HTMLDetailsElement>("details[id]")) {
    const was = part.querySelector<HTMLDetailsElement>("#" + CSS.escape(details.id));
    if (was) details.open = was.open;
  }
  return document.importNode(fresh, true);
}
