import { MENDED_NUL, MENDED_UTF8 } from "../otlp/json-string.ts";
import { MENDED_DEPTH, MISFIT_SHIFT, TYPE_BYTES, TYPE_NON_FINITE } from "../otlp/value-json.ts";

/** Reasons under which `genspan_sanitized_total` counts. */
export type SanitizeReason = "nul" | "utf8" | "depth" | "length" | "id_base64" | "unusable" | "misfit" | "duplicate_key" | "time";

/**
 * What had to be mended on one item, for its column `ingest_notes`:
 * `{"sanitized": {"nul": [path…], "utf8": […], "depth": […], "length": […], "id_base64": […]}, "types": {path: "bytes" | "double"},
 * "sent": {path: text}, "sent_as": {path: member}, "duplicate_keys": n, "time": {…}, "redacted": true}`. Under `sent` stands what could not be used and so is missing in its
 * place, under `sent_as` the member of AnyValue that a value did not fit. Paths name a column, `attributes.<key>`, or a part of events, links, the
 * resource or the scope. Empty for nearly every item, so nothing is allocated until the first note.
 */
export class IngestNotes {
  private sanitized: Record<string, string[]> | undefined;
  private types: Record<string, string> | undefined;
  private time: Record<string, string> | undefined;
  private sent: Map<string, string> | undefined;
  private sentAs: Map<string, string> | undefined;
  private duplicateKeys = 0;
  private contentTaken = false;
  /** Sanitising since creation, by reason, for the metrics; survives `clear`. */
  readonly counts = new Map<SanitizeReason, number>();

  clear(): void {
    this.sanitized = undefined;
    this.types = undefined;
    this.time = undefined;
    this.sent = undefined;
    this.sentAs = undefined;
    this.duplicateKeys = 0;
    this.contentTaken = false;
  }

  /** Notes the flags that a value writer returned. */
  mended(path: string, flags: number): void {
    if ((flags & MENDED_NUL) !== 0) this.sanitize("nul", path);
    if ((flags & MENDED_UTF8) !== 0) this.sanitize("utf8", path);
    if ((flags & MENDED_DEPTH) !== 0) this.sanitize("depth", path);
    if ((flags & TYPE_BYTES) !== 0) this.retype(path, "bytes");
    else if ((flags & TYPE_NON_FINITE) !== 0) this.retype(path, "double");
    const misfits = flags >> MISFIT_SHIFT;
    if (misfits !== 0) this.misfit(path, MEMBERS[31 - Math.clz32(misfits & -misfits)] ?? "");
  }

  /** Notes a column that was cut because its index takes no longer text. */
  cut(path: string): void {
    this.sanitize("length", path);
  }

  /** Notes an id that was sent in base64. */
  base64Id(path: string): void {
    this.sanitize("id_base64", path);
  }

  /** Notes what was sent for a field that is empty because it could not be used. */
  unusable(path: string, text: string): void {
    this.sent = withNote(this.sent, path, text.slice(0, MAX_SENT_CHARS));
    this.count("unusable", 1);
  }

  duplicates(count: number): void {
    this.duplicateKeys += count;
    this.count("duplicate_key", count);
  }

  /** Notes that redaction took content out, which it has counted itself. */
  redacted(): void {
    this.contentTaken = true;
  }

  /** Notes a time that could not be used; `raw` is what was sent, in unix nanoseconds. */
  timing(what: "start" | "end" | "event" | "negative_duration", raw: string): void {
    this.time ??= {};
    this.time[what] = raw;
    this.count("time", 1);
  }

  /** The JSON text for the column, or undefined when there is nothing to say. */
  toJson(): string | undefined {
    const { sanitized, types, sent, sentAs, time } = this;
    if ((sanitized ?? types ?? sent ?? sentAs ?? time) === undefined && this.duplicateKeys === 0 && !this.contentTaken) return undefined;
    return JSON.stringify({
      sanitized,
      types,
      sent: sent && Object.fromEntries(sent),
      sent_as: sentAs && Object.fromEntries(sentAs),
      time,
      duplicate_keys: this.duplicateKeys > 0 ? this.duplicateKeys : undefined,
      redacted: this.contentTaken || undefined,
    });
  }

  private sanitize(reason: "nul" | "utf8" | "depth" | "length" | "id_base64", path: string): void {
    this.sanitized ??= Object.create(null) as Record<string, string[]>;
    const paths = this.sanitized[reason] ?? [];
    this.sanitized[reason] = paths;
    if (paths.length < MAX_PATHS) paths.push(clean(path));
    this.count(reason, 1);
  }

  private retype(path: string, type: string): void {
    this.types ??= Object.create(null) as Record<string, string>;
    this.types[clean(path)] = type;
  }

  private misfit(path: string, member: string): void {
    this.sentAs = withNote(this.sentAs, path, member);
    this.count("misfit", 1);
  }

  private count(reason: SanitizeReason, by: number): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + by);
  }
}

/** Members of AnyValue by field number. */
const MEMBERS = ["", "stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue"];

/** Thousands of broken attributes are told by the first ones. */
const MAX_PATHS = 20;
const MAX_SENT_CHARS = 64;

function withNote(notes: Map<string, string> | undefined, path: string, text: string): Map<string, string> {
  const kept = notes ?? new Map<string, string>();
  if (kept.size < MAX_PATHS) kept.set(clean(path), clean(text));
  return kept;
}

/** A path goes into jsonb itself: neither NUL nor lone surrogates may be in it, and it need not be long. */
const clean = (path: string): string => path.slice(0, 200).replaceAll("\u0000", "\uFFFD").toWellFormed();
