import { hash } from "node:crypto";
import { isUuid, uuidOfDigest } from "../base/uuid.ts";

/** The application's own id where it is a uuid; else one that every collector derives alike from `text`. */
export function recordUuid(given: unknown, text: string): string {
  if (isUuid(given)) return given.toLowerCase();
  const digits = hash("sha256", text, "hex");
  const variant = ((Number.parseInt(digits.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return uuidOfDigest(digits, variant);
}
