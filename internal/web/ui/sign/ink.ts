/** The colour of every signature: blue-black, which prints well and differs from the document's black. */
export const ink = "#16245c";

const largest = { width: 1200, height: 480 };

/** The part of a canvas that has anything on it, as a PNG data URL; "" when it is empty. */
export function trimmed(canvas: HTMLCanvasElement): string {
  const { width, height } = canvas;
  if (width === 0 || height === 0) return "";
  const alpha = canvas.getContext("2d")!.getImageData(0, 0, width, height).data;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (alpha[(y * width + x) * 4 + 3]! < 8) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return "";
  return fitted(canvas, left, top, right - left + 1, bottom - top + 1);
}

function fitted(from: CanvasImageSource, x: number, y: number, w: number, h: number): string {
  const pad = Math.ceil(Math.max(w, h) * 0.02);
  const scale = Math.min(1, largest.width / (w + 2 * pad), largest.height / (h + 2 * pad));
  const to = document.createElement("canvas");
  to.width = Math.ceil((w + 2 * pad) * scale);
  to.height = Math.ceil((h + 2 * pad) * scale);
  const pen = to.getContext("2d")!;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(from, x, y, w, h, pad * scale, pad * scale, w * scale, h * scale);
  return to.toDataURL("image/png");
}

/** A name in the script face, as a PNG data URL. */
export async function written(text: string): Promise<string> {
  const font = '500 96px "Dancing Script", "Segoe Script", "Snell Roundhand", cursive';
  await Promise.race([document.fonts.load(font, text).catch(() => undefined), patience(2000)]);
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d")!;
  pen.font = font;
  canvas.width = Math.min(Math.ceil(pen.measureText(text).width) + 120, 4000);
  canvas.height = 260;
  pen.font = font;
  pen.fillStyle = ink;
  pen.textBaseline = "middle";
  pen.fillText(text, 60, 130, 3880);
  return trimmed(canvas);
}

/** The face is a nicety: nobody waits long for it. */
function patience(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A picture from a file, made small, as a PNG data URL. Throws a sentence for people. */
export async function pictured(file: File): Promise<string> {
  if (file.type !== "image/png" && file.type !== "image/jpeg") throw new Error("Choose a PNG or JPEG picture.");
  if (file.size > 20_000_000) throw new Error("That picture is larger than 20 MB. Choose a smaller one.");
  const picture = await createImageBitmap(file).catch(() => undefined);
  if (!picture) throw new Error("That file is damaged or no picture.");
  try {
    return fitted(picture, 0, 0, picture.width, picture.height);
  } finally {
    picture.close();
  }
}
