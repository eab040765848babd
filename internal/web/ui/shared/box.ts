import { nothing } from "lit";
import { Directive, directive, type ElementPart, PartType, type PartInfo } from "lit/directive.js";

/** Fractions of a page, from its top left corner. */
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

class Place extends Directive {
  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error("place() stands inside a tag");
  }

  render(_box: Box): unknown {
    return nothing;
  }

  override update(part: ElementPart, [box]: [Box]): unknown {
    const style = (part.element as HTMLElement).style;
    style.left = percent(box.x);
    style.top = percent(box.y);
    style.width = percent(box.w);
    style.height = percent(box.h);
    return nothing;
  }
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(4)}%`;
}

/** Puts an element at its place on the page. It sets the style object: a style attribute is what the security policy refuses. */
export const place = directive(Place);

class Aspect extends Directive {
  render(_width: number, _height: number): unknown {
    return nothing;
  }

  override update(part: ElementPart, [width, height]: [number, number]): unknown {
    const style = (part.element as HTMLElement).style;
    style.aspectRatio = `${width} / ${height}`;
    style.setProperty("--page-w", String(width));
    return nothing;
  }
}

/** Gives an element the shape of a page before its picture arrives. */
export const aspect = directive(Aspect);
