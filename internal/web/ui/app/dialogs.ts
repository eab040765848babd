/** Makes dialogs modal: openers show theirs instead of going to its page, and what the server opened is opened properly. */
export function helpDialogs(): void {
  for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog[data-modal][open]")) {
    dialog.close();
    show(dialog);
  }
  document.addEventListener("click", onClick);
}

function onClick(event: MouseEvent): void {
  const target = event.target as Element;
  const opener = target.closest<HTMLElement>("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset["dialog"] ?? "");
  if (dialog instanceof HTMLDialogElement && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    show(dialog);
    return;
  }
  const closer = target.closest("[data-close]");
  const around = closer?.closest("dialog");
  if (around) {
    event.preventDefault();
    around.close();
  } else if (target instanceof HTMLDialogElement && target.hasAttribute("data-modal") && outside(target, event)) {
    target.close();
  }
}

function show(dialog: HTMLDialogElement): void {
  dialog.showModal();
  dialog.querySelector<HTMLElement>("[aria-invalid=true], [autofocus], input:not([type=hidden]), select, textarea")?.focus();
}

/** A click on a dialog element itself is one on its backdrop, unless it hit the dialog's own edge. */
function outside(dialog: HTMLDialogElement, event: MouseEvent): boolean {
  const r = dialog.getBoundingClientRect();
  return event.clientX < r.left || event.clientX > r.right || event.clientY < r.top || event.clientY > r.bottom;
}
