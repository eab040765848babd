/** A box that stands for a whole family of events ticks its members and takes them out of the reader's hands. */
export function tickFamilies(): void {
  for (const events of document.querySelectorAll<HTMLElement>("[data-events]")) {
    const update = () => follow(events);
    events.addEventListener("change", update);
    addEventListener("pageshow", update);
    update();
  }
}

function follow(events: HTMLElement): void {
  const all = events.querySelector<HTMLInputElement>('[data-all][value="*"]');
  for (const group of events.querySelectorAll<HTMLElement>("[data-group]")) {
    const family = group.querySelector<HTMLInputElement>("[data-all]");
    if (family) cover(family, all?.checked ?? false);
    for (const box of group.querySelectorAll<HTMLInputElement>("input:not([data-all])")) cover(box, family?.checked || all?.checked || false);
  }
}

/** A covered box is shown as ticked; what it was is kept for when it is uncovered. */
function cover(box: HTMLInputElement, covered: boolean): void {
  if (covered === box.disabled) return;
  if (covered) box.dataset["was"] = String(box.checked);
  box.checked = covered || box.dataset["was"] === "true";
  box.disabled = covered;
}
