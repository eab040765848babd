import { nothing } from "lit";
import { Directive, directive, type ElementPart } from "lit/directive.js";
import type { Line, Page } from "./model.ts";

let pen: CanvasRenderingContext2D | null | undefined;

/** How wide a line is at a height of one. */
function width(text: string): number {
  pen ??= document.createElement("canvas").getContext("2d");
  if (!pen) return text.length * 0.5;
  pen.font = "100px sans-serif";
  return pen.measureText(text).width / 100;
}

class OnLine extends Directive {
  private done: Line | undefined;

  render(_line: Line, _page: Page): unknown {
    return nothing;
  }

  override update(part: ElementPart, [line, page]: [Line, Page]): unknown {
    if (this.done === line) return nothing;
    this.done = line;
    const style = (part.element as HTMLElement).style;
    const high = (line.h * page.height) / page.width;
    const natural = width(line.t) * high;
    style.left = `${line.x * 100}%`;
    style.top = `${line.y * 100}%`;
    style.fontSize = `${high * 100}cqw`;
    if (natural > 0) style.transform = `scaleX(${line.w / natural})`;
    return nothing;
  }
}

/** Lays invisible text over its picture, as wide as the picture shows it, at any size of the page. */
export const onLine = directive(OnLine);
