import { hash } from "node:crypto";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The application's own id where it is a uuid; else one that every collector derives alike from `text`. */
export function recordUuid(given: unknown, text: string): string {
  if (typeof given === "string" && UUID.test(given)) return given.toLowerCase();
  const digits = hash("sha256", text, "hex");
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20, 32)].join("-");
}
