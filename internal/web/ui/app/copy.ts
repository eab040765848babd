/** <copy-button data-text>: shows its button, copies on a click, and says so. */
class CopyButton extends HTMLElement {
  connectedCallback(): void {
    const button = this.querySelector("button");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => void this.copy(button));
  }

  private async copy(button: HTMLButtonElement): Promise<void> {
    const label = button.querySelector("span");
    const before = label?.textContent ?? "";
    const done = await copied(this.dataset["text"] ?? "");
    if (!done) this.select();
    if (!label) return;
    label.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (label.textContent = before), 2000);
  }

  private select(): void {
    const text = this.querySelector("code");
    if (text) getSelection()?.selectAllChildren(text);
  }
}

/** The clipboard needs https or localhost; elsewhere the text is selected for the reader's own hand. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

customElements.define("copy-button", CopyButton);
