/** A form that comes back with something wrong in it begins at the first wrong input, which may be far down the page. */
export function leadToWrong(): void {
  const first = [...document.querySelectorAll<HTMLElement>("main [aria-invalid=true]")].find((el) => el.closest("dialog") === null);
  first?.focus({ preventScroll: true });
  first?.scrollIntoView({ block: "center", behavior: "instant" });
}
