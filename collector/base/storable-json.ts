/** A NUL, or half of a surrogate pair, as itself or escaped; more than a hint it need not be. */
const ODD_TEXT = /\0|\\u(0000|d[89a-f])/i;

/**
 * JSON whose text PostgreSQL can hold: what it cannot is mended by U+FFFD, as in telemetry, so that nothing is lost for it and a name that is asked for
 * is the one that is stored. Throws where `text` is no JSON.
 */
export const parseStorable = (text: string): unknown => (ODD_TEXT.test(text) ? mended(JSON.parse(text)) : JSON.parse(text));

function mended(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed().replaceAll("\0", "\ufffd");
  if (Array.isArray(value)) return value.map(mended);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [mended(key), mended(each)]));
}
