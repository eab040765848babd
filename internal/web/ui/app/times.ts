const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Keeps the words of <time data-relative> true while a page stays open. The words are those of kit.Humane. */
export function keepTimes(): void {
  const times = () => document.querySelectorAll<HTMLTimeElement>("time[data-relative]");
  for (const el of times()) el.title = new Date(el.dateTime).toLocaleString(undefined, { dateStyle: "long", timeStyle: "long" });
  setInterval(() => {
    if (document.hidden) return;
    for (const el of times()) el.textContent = humane(new Date(el.dateTime), new Date()) ?? el.textContent;
  }, 30_000);
}

/** Words for a moment less than a week away; undefined for others, whose words don't change. */
export function humane(at: Date, now: Date): string | undefined {
  const d = now.getTime() - at.getTime();
  const far = Math.abs(d);
  if (far < 45_000) return "just now";
  if (far > 7 * day) return undefined;
  const [n, unit] = rounded(far);
  const words = `${n} ${unit}${n === 1 ? "" : "s"}`;
  return d >= 0 ? `${words} ago` : `in ${words}`;
}

function rounded(d: number): [number, string] {
  if (d < hour - minute / 2) return [Math.max(1, Math.round(d / minute)), "minute"];
  if (d < day - hour / 2) return [Math.round(d / hour), "hour"];
  return [Math.round(d / day), "day"];
}
