import { hash } from "node:crypto";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The application's own id where it is a uuid; else one that every collector derives alike from `text` (version 8 of RFC 9562). */
export function recordUuid(given: unknown, text: string): string {
  if (typeof given === "string" && UUID.test(given)) return given.toLowerCase();
  const digits = hash("sha256", text, "hex");
  const variant = ((Number.parseInt(digits.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [digits.slice(0, 8), digits.slice(8, 12), `8${digits.slice(13, 16)}`, variant + digits.slice(17, 20), digits.slice(20, 32)].join(
    "-",
  );
}
