const UNIT_MILLIS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const RELATIVE = /^-(\d{1,6})([smhdw])$/;
const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.(\d{1,9}))?)?)(Z|[+ -]\d{2}:\d{2})?)?$/;

/** Whether the text has no day or month that the calendar lacks: Date would take 31 February for 3 March. */
const isCalendarDay = (day: string): boolean => {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
};

/** The years that PostgreSQL and ISO 8601 both write with four digits. */
const isWithinYears = (date: Date): boolean => date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999;

/**
 * Reads a time as people write it: `now`, `-24h` (also s, m, d, w), `2026-11-21`, `2026-11-21T08:15:00.123456Z`; without a zone it is UTC.
 * Gives ISO 8601 in UTC with microseconds, or undefined for what is none.
 */
export function readInstant(text: string, now: Date): string | undefined {
  if (text === "now") return withMicros(now, "");
  const relative = RELATIVE.exec(text);
  if (relative !== null) {
    const ago = new Date(now.getTime() - Number(relative[1]) * (UNIT_MILLIS[relative[2] ?? ""] ?? 0));
    return isWithinYears(ago) ? withMicros(ago, "") : undefined;
  }
  const [, day, time = "00:00", fraction = "", zone = "Z"] = ISO.exec(text) ?? [];
  if (day === undefined || !isCalendarDay(day)) return undefined;
  // A plus sign that was not escaped in an address comes in as a space.
  const date = new Date(`${day}T${time}${zone.replace(" ", "+")}`);
  return isWithinYears(date) ? withMicros(date, fraction) : undefined;
}

function withMicros(date: Date, fraction: string): string {
  const iso = date.toISOString();
  return `${iso.slice(0, -1)}${fraction.slice(3, 6).padEnd(3, "0")}Z`;
}
