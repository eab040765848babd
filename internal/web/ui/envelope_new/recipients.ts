/** <paraph-recipients>: adds, removes and reorders the rows that the server made, by button and by drag. */
class Recipients extends HTMLElement {
  private made = 0;
  private dragged: HTMLElement | undefined;

  connectedCallback(): void {
    for (const row of this.rows) this.help(row);
    this.addEventListener("click", (e) => this.onClick(e));
    this.addEventListener("pointerdown", (e) => this.onGrip(e));
    this.addEventListener("pointermove", (e) => this.onDrag(e));
    this.addEventListener("pointerup", () => this.onDrop());
    this.addEventListener("pointercancel", () => this.onDrop());
    this.number(false);
  }

  private get list(): HTMLElement {
    return this.querySelector("[data-rows]")!;
  }

  private get rows(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>(":scope > [data-row]")];
  }

  private help(row: HTMLElement): void {
    for (const el of row.querySelectorAll<HTMLElement>("[data-grip], [data-movers]")) el.hidden = false;
  }

  private onClick(event: MouseEvent): void {
    const button = (event.target as Element).closest("button");
    const row = button?.closest<HTMLElement>("[data-row]");
    if (!button) return;
    if (button.value === "add-recipient") this.add();
    else if (row && button.hasAttribute("data-remove")) this.drop(row);
    else if (row && button.hasAttribute("data-up")) this.move(row, -1, button);
    else if (row && button.hasAttribute("data-down")) this.move(row, 1, button);
    else return;
    event.preventDefault();
  }

  private add(): void {
    const blank = this.querySelector<HTMLTemplateElement>("template[data-blank]")!;
    const row = (blank.content.cloneNode(true) as DocumentFragment).querySelector<HTMLElement>("[data-row]")!;
    const made = `new${this.made++}`;
    for (const el of row.querySelectorAll("[id], [for]")) {
      for (const name of ["id", "for"]) {
        const value = el.getAttribute(name);
        if (value) el.setAttribute(name, value.replace("-999-", `-${made}-`));
      }
    }
    this.help(row);
    this.list.append(row);
    this.number(true);
    row.querySelector<HTMLInputElement>("input[name=recipient_name]")?.focus();
  }

  /** The last row is emptied rather than removed: an envelope without anybody is no use. */
  private drop(row: HTMLElement): void {
    const rows = this.rows;
    if (rows.length === 1) {
      for (const input of row.querySelectorAll<HTMLInputElement>("input")) input.value = input.name === "recipient_order" ? "1" : "";
    } else {
      const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
      row.remove();
      next?.querySelector<HTMLElement>("[data-remove]")?.focus();
    }
    this.number(true);
    this.say("Recipient removed");
  }

  private move(row: HTMLElement, by: number, button: HTMLElement): void {
    const rows = this.rows;
    const at = rows.indexOf(row) + by;
    const other = rows[at];
    if (!other) return;
    if (by < 0) other.before(row);
    else other.after(row);
    this.number(true);
    button.focus();
    this.say(`Now number ${at + 1} of ${rows.length}`);
  }

  private say(text: string): void {
    const said = this.querySelector("[data-said]");
    if (said) said.textContent = text;
  }

  /** Gives rows their colours, and their numbers when their order changed. */
  private number(renumber: boolean): void {
    this.rows.forEach((row, i) => {
      row.className = row.className.replace(/rc-\d/, `rc-${i % 8}`);
      const order = row.querySelector<HTMLInputElement>("input[name=recipient_order]");
      if (order && renumber) order.value = String(i + 1);
    });
    if (renumber) this.dispatchEvent(new CustomEvent("rows", { bubbles: true }));
  }

  private onGrip(event: PointerEvent): void {
    const grip = (event.target as Element).closest("[data-grip]");
    const row = grip?.closest<HTMLElement>("[data-row]");
    if (!row) return;
    event.preventDefault();
    this.setPointerCapture(event.pointerId);
    this.dragged = row;
    row.toggleAttribute("data-dragging", true);
  }

  private onDrag(event: PointerEvent): void {
    if (!this.dragged) return;
    const over = this.rows.find((row) => row !== this.dragged && within(row, event.clientY));
    if (!over) return;
    const r = over.getBoundingClientRect();
    if (event.clientY < r.top + r.height / 2) over.before(this.dragged);
    else over.after(this.dragged);
  }

  private onDrop(): void {
    if (!this.dragged) return;
    this.dragged.toggleAttribute("data-dragging", false);
    this.dragged = undefined;
    this.number(true);
  }
}

function within(row: HTMLElement, y: number): boolean {
  const r = row.getBoundingClientRect();
  return y >= r.top && y <= r.bottom;
}

customElements.define("paraph-recipients", Recipients);
