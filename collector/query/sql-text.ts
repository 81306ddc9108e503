import type { Fragment } from "./sql.ts";

/** A question as it can be pasted into `genspan sql` or psql: values stand in it as literals, each in the place of its parameter. */
export const sqlText = ({ texts, values }: Fragment): string =>
  texts
    .reduce((text, next, i) => `${text}${literal(values[i - 1])}${next}`)
    .replace(/\n\s*/g, "\n  ")
    .trim();

const quoted = (text: string): string =>
  text.includes("\\") ? `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'` : `'${text.replaceAll("'", "''")}'`;

function literal(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "number" || typeof value === "boolean") return quoted(String(value));
  if (value instanceof Date) return quoted(value.toISOString());
  if (value instanceof Uint8Array) return quoted(`\\x${Buffer.from(value).toString("hex")}`);
  if (Array.isArray(value)) return quoted(`{${value.map(element).join(",")}}`);
  return quoted(String(value));
}

/** An element of an array's text form. */
const element = (value: unknown): string => (value === null ? "NULL" : `"${String(value).replace(/["\\]/g, "\\$&")}"`);
