const shownFor = 8000;

/** Takes notices away that need nobody, but never while they are pointed at or read. */
export function dismissNotices(): void {
  for (const notice of document.querySelectorAll<HTMLElement>("[data-dismiss]")) {
    const later = () => setTimeout(() => (busy(notice) ? later() : notice.remove()), shownFor);
    later();
  }
}

function busy(notice: HTMLElement): boolean {
  return document.hidden || notice.matches(":hover, :focus-within");
}
