import type { PointGroup } from "signature_pad";

/** The colour of every signature: blue-black, which prints well and differs from the document's black. */
export const ink = "#16245c";

/** What the pen does, in the canvas's CSS pixels; the server draws the same from the strokes. */
export const pen = { penColor: ink, minWidth: 0.8, maxWidth: 2.8, velocityFilterWeight: 0.7, dotSize: 0 };

/** The faces of typed signatures, by the names that the server knows. It has the same. */
export const faces: [name: string, font: string][] = [
  ["dancing-script", '500 96px "Dancing Script"'], ["caveat", '400 96px "Caveat"'], ["great-vibes", '400 96px "Great Vibes"'],
];

const largest = { width: 1200, height: 480 };
const largestPicture = { width: 2400, height: 1200 };

/** The strokes of a pad as [x, y, pressure, ms since the first point], rounded to what can be seen. */
export function strokesOf(groups: PointGroup[]): number[][][] {
  const start = groups[0]?.points[0]?.time ?? 0;
  const cents = (v: number) => Math.round(v * 100) / 100;
  return groups.map((g) => g.points.map((p) => [cents(p.x), cents(p.y), cents(Math.min(Math.max(p.pressure, 0), 1)), Math.max(Math.round(p.time - start), 0)]));
}

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

function fitted(from: CanvasImageSource, x: number, y: number, w: number, h: number, limit = largest, type = "image/png"): string {
  const pad = type === "image/png" ? Math.ceil(Math.max(w, h) * 0.02) : 0;
  const scale = Math.min(1, limit.width / (w + 2 * pad), limit.height / (h + 2 * pad));
  const to = document.createElement("canvas");
  to.width = Math.ceil((w + 2 * pad) * scale);
  to.height = Math.ceil((h + 2 * pad) * scale);
  const pen = to.getContext("2d")!;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(from, x, y, w, h, pad * scale, pad * scale, w * scale, h * scale);
  return to.toDataURL(type, 0.92);
}

/** A name in a script face, as a PNG data URL. */
export async function written(text: string, face: string): Promise<string> {
  const font = `${faces.find(([name]) => name === face)![1]}, "Caveat", "Segoe Script", "Snell Roundhand", cursive`;
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

/** How long a data URL may be: the server takes pictures of 2 MB. */
const longest = 2_600_000;

/** A picture from a file, as a data URL: as sharp as it is, up to 2400 × 1200 pixels. Throws a sentence for people. */
export async function pictured(file: File): Promise<string> {
  if (file.type !== "image/png" && file.type !== "image/jpeg") throw new Error("Choose a PNG or JPEG picture.");
  if (file.size > 20_000_000) throw new Error("That picture is larger than 20 MB. Choose a smaller one.");
  const picture = await createImageBitmap(file).catch(() => undefined);
  if (!picture) throw new Error("That file is damaged or no picture.");
  try {
    const draw = (limit: typeof largest) => fitted(picture, 0, 0, picture.width, picture.height, limit, file.type);
    const sharp = draw(largestPicture);
    return sharp.length <= longest ? sharp : draw(largest);
  } finally {
    picture.close();
  }
}
