import { html, nothing, render } from "lit";
import { icon } from "../shared/icon.ts";

interface Stored {
  id: string;
  name: string;
  pages?: number;
  size?: number;
  /** Where more files go, when that is elsewhere: the first file may begin an envelope. */
  upload?: string;
  /** Where the browser goes once all files are stored. */
  done?: string;
}

interface Item {
  file: File;
  sent: number;
  stored?: Stored;
  error?: string;
  /** The file needs a password, or another one. */
  locked?: boolean;
  password?: string;
  request?: XMLHttpRequest;
}

/** <paraph-dropzone upload done stored max-bytes>: sends chosen or dropped files one after the other and shows how far they are. */
class Dropzone extends HTMLElement {
  private items: Item[] = [];
  private list: HTMLElement | undefined;

  connectedCallback(): void {
    const input = this.querySelector<HTMLInputElement>("input[type=file]");
    const target = this.querySelector<HTMLElement>("[data-target]");
    if (!input || !target || !this.getAttribute("upload")) return;
    this.list = document.createElement("li");
    this.list.className = "contents";
    this.querySelector("[data-files]")?.append(this.list);
    input.addEventListener("change", () => {
      this.take([...(input.files ?? [])]);
      input.value = "";
    });
    this.watch(target);
  }

  private watch(target: HTMLElement): void {
    const over = (yes: boolean) => target.toggleAttribute("data-over", yes);
    target.addEventListener("dragover", (e) => {
      e.preventDefault();
      over(true);
    });
    target.addEventListener("dragleave", () => over(false));
    target.addEventListener("drop", (e) => {
      e.preventDefault();
      over(false);
      this.take([...(e.dataTransfer?.files ?? [])]);
    });
  }

  private take(files: File[]): void {
    const added = files.map((file): Item => ({ file, sent: 0, ...this.objection(file) }));
    this.items.push(...added);
    this.show();
    this.sendNext();
  }

  private sendNext(): void {
    if (this.items.some((item) => item.request)) return;
    const next = this.items.find((item) => !item.stored && item.error === undefined);
    if (next) this.send(next);
    else this.finish();
  }

  private objection(file: File): { error?: string } {
    const most = Number(this.getAttribute("max-bytes"));
    if (file.size === 0) return { error: "This file is empty." };
    if (most > 0 && file.size > most) return { error: `This file is larger than ${megabytes(most)}.` };
    return {};
  }

  private send(item: Item): void {
    const request = new XMLHttpRequest();
    item.request = request;
    request.open("POST", this.getAttribute("upload")!);
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (e) => {
      item.sent = e.lengthComputable ? e.loaded / e.total : 0;
      this.show();
    };
    request.onload = () => this.answered(item, request);
    request.onerror = () => this.failed(item, "The connection broke. Try this file again.");
    const body = new FormData();
    const name = this.closest("form")?.querySelector<HTMLInputElement>("input[name=name]")?.value;
    if (name) body.append("name", name);
    if (item.password) body.append("file_password", item.password);
    body.append("file", item.file);
    request.send(body);
  }

  private answered(item: Item, request: XMLHttpRequest): void {
    const body = parsed(request.responseText);
    if (request.status >= 200 && request.status < 300 && typeof body["id"] === "string") {
      this.accept(item, body as unknown as Stored);
      return;
    }
    const why = request.status === 413 ? "This file is too large." : request.status === 507 ? "The server’s disk is full." : "This file was refused.";
    item.locked = body["field"] === "password";
    this.failed(item, typeof body["error"] === "string" ? body["error"] : why);
  }

  private accept(item: Item, stored: Stored): void {
    delete item.request;
    item.stored = stored;
    if (stored.upload) this.setAttribute("upload", stored.upload);
    if (stored.done) this.goesOnTo(stored.done);
    this.show();
    this.sendNext();
  }

  /** The files are somewhere else now: the form around, if it is sent, only leads there. */
  private goesOnTo(done: string): void {
    if (!this.hasAttribute("done") && !this.closest("form[data-autosave]")) {
      this.closest("form")?.addEventListener("submit", (e) => {
        e.preventDefault();
        e.stopPropagation();
        location.assign(this.getAttribute("done")!);
      });
    }
    this.setAttribute("done", done);
  }

  private failed(item: Item, why: string): void {
    delete item.request;
    item.error = why;
    this.show();
    this.sendNext();
  }

  private discard(item: Item): void {
    item.request?.abort();
    delete item.request;
    this.items = this.items.filter((one) => one !== item);
    this.show();
    this.sendNext();
  }

  private again(item: Item): void {
    delete item.error;
    item.sent = 0;
    this.show();
    this.sendNext();
  }

  /** Tries a locked file with the password that stands beside it. */
  private unlock(item: Item, e: Event): void {
    e.preventDefault();
    const input = (e.currentTarget as HTMLElement).closest("[data-unlock]")?.querySelector("input");
    if (!input?.value) {
      input?.focus();
      return;
    }
    item.password = input.value;
    this.again(item);
  }

  private unlockOnEnter(item: Item, e: KeyboardEvent): void {
    if (e.key === "Enter") this.unlock(item, e);
  }

  /** Goes on once every file is stored; one that was refused waits until its reader has seen why. */
  private finish(): void {
    if (this.items.length === 0 || !this.items.every((i) => i.stored)) return;
    const go = this.dispatchEvent(new CustomEvent("stored", { bubbles: true, cancelable: true }));
    const done = this.getAttribute("done");
    if (go && done) location.assign(done);
  }

  private show(): void {
    const name = this.getAttribute("stored") ?? "document";
    const leaves = this.hasAttribute("done");
    render(this.items.map((item) => html`<div class="drop-file" ?data-failed=${item.error !== undefined}>
      ${icon(item.error ? "warning" : item.stored ? "check" : "file")}
      <span class="min-w-0 grow">
        <bdi class="font-medium">${item.file.name}</bdi>
        ${item.error ? html`<span class="block text-sm text-error">${item.error}</span>` : nothing}
        ${item.locked && item.error ? html`<span class="mt-2 flex flex-wrap items-end gap-2" data-unlock>
          <label class="grid min-w-0 gap-1 text-sm">Password of the PDF
            <input class="input field-input" type="password" autocomplete="off" @keydown=${(e: KeyboardEvent) => this.unlockOnEnter(item, e)}>
          </label>
          <button class="btn btn-sm btn-primary" type="button" @click=${(e: Event) => this.unlock(item, e)}>Open</button>
        </span>` : nothing}
        ${item.stored ? html`<span class="block text-sm text-muted">${facts(item.stored)}</span><input type="hidden" name=${name} value=${item.stored.id}>` : nothing}
        ${!item.stored && !item.error ? html`<progress class="meter" max="1" value=${item.sent} aria-label="Sending ${item.file.name}"></progress>` : nothing}
      </span>
      ${item.error && !item.locked ? html`<button class="btn btn-sm" type="button" @click=${() => this.again(item)}>Try again</button>` : nothing}
      ${item.stored && leaves ? nothing : html`<button class="btn btn-ghost btn-square btn-sm" type="button" aria-label="Remove ${item.file.name}" @click=${() => this.discard(item)}>${icon("x")}</button>`}
    </div>`), this.list!);
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function facts(s: Stored): string {
  const pages = s.pages === undefined ? "" : s.pages === 1 ? "1 page" : `${s.pages} pages`;
  return [pages, s.size === undefined ? "" : megabytes(s.size)].filter(Boolean).join(", ");
}

function megabytes(n: number): string {
  if (n < 1e6) return `${Math.ceil(n / 1000)} kB`;
  return `${(n / 1e6).toFixed(1).replace(".0", "")} MB`;
}

customElements.define("paraph-dropzone", Dropzone);
