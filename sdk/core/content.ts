import { createHash } from "node:crypto";
import type { ContentPlace, ResolvedContent } from "./content-policy.ts";
import { nameOf, type Problems } from "./problems.ts";

/** Applies the content policy to every text on its way out. */
export interface Content {
  readonly policy: ResolvedContent;
  /** The text as it may be recorded: redacted, cut to `maxBytes` (by default the policy's); undefined where the policy or a failing redaction leaves it out. */
  text(text: string | undefined, place: ContentPlace, maxBytes?: number): string | undefined;
  /** Any text that is no content (names, ids): cut to the bound of attributes. */
  label(text: string): string;
}

export interface ContentOptions {
  readonly policy: ResolvedContent;
  readonly redact: ((text: string, place: ContentPlace) => string) | undefined;
  readonly problems: Problems;
}

export function createContent({ policy, redact, problems }: ContentOptions): Content {
  return {
    policy,
    text(text, place, maxBytes = policy.maxBytes) {
      if (text === undefined || !isRecorded(place, policy)) return undefined;
      return cut(redacted(text, place, { redact, problems }), maxBytes);
    },
    label: (text) => cut(text, policy.maxBytes) ?? "",
  };
}

/**
 * The same for the texts of one attribute, which share its bound: what comes after it is used up is cut to nothing but its mark.
 */
export function sharingBound(content: Content): Content {
  const { maxBytes } = content.policy;
  let spent = 0;
  /** Not counted yet: as long as even three bytes a character stay within the bound, nothing has to be. */
  let uncounted: string[] = [];
  let atMost = 0;
  const left = (): number => {
    for (const text of uncounted) spent += Buffer.byteLength(text);
    uncounted = [];
    return Math.max(0, maxBytes - spent);
  };
  return {
    ...content,
    text(text, place) {
      atMost += (text?.length ?? 0) * 3;
      const kept = content.text(text, place, atMost <= maxBytes ? maxBytes : left());
      if (kept !== undefined) uncounted.push(kept);
      return kept;
    },
  };
}

/** Whether content of this place is recorded at all. */
export function isRecorded(place: ContentPlace, { prompts, outputs, reasoning, errors }: ResolvedContent): boolean {
  if (place === "output" || place === "image") return outputs;
  if (place === "reasoning") return reasoning;
  if (place === "error") return errors;
  return place === "metadata" ? true : prompts;
}

/** A redaction that throws must not let the text through. */
function redacted(
  text: string,
  place: ContentPlace,
  { redact, problems }: Pick<ContentOptions, "redact" | "problems">,
): string | undefined {
  if (redact === undefined) return text;
  try {
    const result = redact(text, place);
    if (typeof result === "string") return result;
    problems.report("internal-error", "the redact function did not return a text: the text is left out");
    return undefined;
  } catch (error) {
    problems.report("internal-error", `the redact function threw ${nameOf(error)}: the text is left out`);
    return undefined;
  }
}

/** Cuts a text to so many bytes of UTF-8, between characters, and says how many bytes are missing. */
export function cut(text: string | undefined, maxBytes: number): string | undefined {
  // A character takes three bytes at most per unit, so short texts need no counting.
  if (text === undefined || text.length * 3 <= maxBytes) return text;
  const size = Buffer.byteLength(text);
  if (size <= maxBytes) return text;
  const head = Buffer.from(text.slice(0, maxBytes)).subarray(0, maxBytes);
  let end = head.length;
  while (end > 0 && (head[end - 1]! & 0xc0) === 0x80) end--;
  const startsCharacter = end > 0 && head[end - 1]! >= 0xc0;
  const whole = isWhole(head, end) ? head.length : startsCharacter ? end - 1 : end;
  return `${head.toString("utf8", 0, whole)}${truncationMark(size - whole)}`;
}

/** Whether the character whose first byte is at `end - 1` is complete at the end of the bytes. */
function isWhole(bytes: Buffer, end: number): boolean {
  const first = bytes[end - 1] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return bytes.length - (end - 1) >= length;
}

/** What stands at the end of a text that was cut. */
export const truncationMark = (bytes: number): string => `${MARK}${bytes} bytes]`;
const MARK = "…[truncated ";

/** Whether a value made of texts that were cut to `maxBytes` holds the mark of one. Shorter values are not looked through: nothing of them can have been cut. */
export const isTruncated = (value: string | undefined, maxBytes: number): boolean =>
  value !== undefined && value.length * 3 >= maxBytes && value.includes(MARK);

/** SHA-256 of binary content, in hexadecimal. */
export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");
