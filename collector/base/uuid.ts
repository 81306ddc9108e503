const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether it is a uuid as text, of any version, in either case. */
export const isUuid = (value: unknown): value is string => typeof value === "string" && UUID.test(value);

/** The two bits of RFC 9562, and none of the digest's. */
const VARIANT = "8";

/**
 * A uuid of version 8 (RFC 9562) out of a digest's hex digits, at least 32, so that everybody derives the same id from the same thing. `variant` is
 * the digit that begins the fourth group: 8, 9, a or b.
 */
export function uuidOfDigest(hex: string, variant = VARIANT): string {
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20, 32)].join("-");
}
