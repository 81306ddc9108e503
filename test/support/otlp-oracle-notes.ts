import { BYTES, DEPTH, misfitOf, NON_FINITE, NUL, UTF8 } from "./otlp-oracle-values.ts";

export const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

/** Collects `ingest_notes`. */
export function createNotes() {
  const sanitized: Record<string, string[]> = {};
  const types: Record<string, string> = {};
  const more: Record<string, unknown> = {};
  const sent = new Map<string, string>();
  const sentAs = new Map<string, string>();
  const path = (name: string): string => name.slice(0, 200).replaceAll("\u0000", "\uFFFD").toWellFormed();
  const keep = (kept: Map<string, string>, name: string, text: string): void => {
    if (kept.size < 20) kept.set(path(name), text.replaceAll("\u0000", "\uFFFD").toWellFormed());
  };
  const unusable = (name: string, text: string): void => keep(sent, name, text.slice(0, 64));
  return {
    more,
    unusable,
    /** An id that is none: as text where it came as one. */
    wrongId(name: string, bytes: Uint8Array | undefined, size: number): void {
      if (bytes === undefined || bytes.length === 0 || bytes.length === size) return;
      const text = Buffer.from(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes).toString("latin1");
      unusable(name, /^[ -~]+$/.test(text) ? text : hex(bytes));
    },
    /** What was said of members of JSON that came in another form. */
    marks(marks: readonly Uint8Array[] | undefined, columns: Readonly<Record<number, string>>, prefix = ""): void {
      for (const [number = 0, ...text] of marks ?? []) {
        const column = columns[number];
        if (column === undefined) continue;
        if (!/_id$/.test(column)) unusable(prefix + column, Buffer.from(text).toString("utf8"));
        else {
          sanitized["id_base64"] ??= [];
          if (sanitized["id_base64"].length < 20) sanitized["id_base64"].push(prefix + column);
        }
      }
    },
    add(name: string, flags: number): void {
      const reasons = [
        [NUL, "nul"],
        [UTF8, "utf8"],
        [DEPTH, "depth"],
      ] as const;
      for (const [flag, reason] of reasons) {
        if ((flags & flag) === 0) continue;
        sanitized[reason] ??= [];
        if (sanitized[reason].length < 20) sanitized[reason].push(path(name));
      }
      const member = misfitOf(flags);
      if (member !== undefined) keep(sentAs, name, member);
      if ((flags & BYTES) !== 0) types[path(name)] = "bytes";
      else if ((flags & NON_FINITE) !== 0) types[path(name)] = "double";
    },
    toJson(): string | null {
      const notes = {
        ...(Object.keys(sanitized).length > 0 ? { sanitized } : {}),
        ...(Object.keys(types).length > 0 ? { types } : {}),
        ...(sent.size > 0 ? { sent: Object.fromEntries(sent) } : {}),
        ...(sentAs.size > 0 ? { sent_as: Object.fromEntries(sentAs) } : {}),
        ...more,
      };
      return Object.keys(notes).length > 0 ? JSON.stringify(notes) : null;
    },
  };
}

export type Notes = ReturnType<typeof createNotes>;
