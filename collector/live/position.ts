import { z } from "zod";

/**
 * Up to where a stream has been told. `seen` is the database's snapshot of that moment: everything that it shows has been told, whatever was still being
 * written then has not. Within a batch that is told in pieces, `until` is the batch's own snapshot and `last` the row that was told last.
 */
export interface Position {
  readonly seen: string;
  /** When `seen` was taken, in seconds since 1970 by the database's clock. */
  readonly atSeconds: number;
  readonly until?: string;
  readonly last?: readonly [receivedAt: string, traceId: string, spanId: string];
}

/** As PostgreSQL writes a pg_snapshot: xmin:xmax:xip,xip. */
const SNAPSHOT = z.string().regex(/^\d{1,20}:\d{1,20}:(\d{1,20}(,\d{1,20})*)?$/);
const TIME = /^\d{4,6}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?\+00$/;

const schema = z.union([
  z.tuple([z.int().min(0), SNAPSHOT]),
  z.tuple([
    z.int().min(0),
    SNAPSHOT,
    SNAPSHOT,
    z.string().regex(TIME),
    z.string().regex(/^[0-9a-f]{32}$/),
    z.string().regex(/^[0-9a-f]{16}$/),
  ]),
]);

const MAX_CHARS = 20_000;

/** Opaque text for the field `id` of an event, which a browser sends back as Last-Event-ID. */
export function writePosition({ seen, atSeconds, until, last }: Position): string {
  const parts = until === undefined || last === undefined ? [atSeconds, seen] : [atSeconds, seen, until, ...last];
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** Undefined for anything that `writePosition` did not make. */
export function readPosition(text: string): Position | undefined {
  if (text.length > MAX_CHARS || !/^[\w-]+$/.test(text)) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  const read = schema.safeParse(parts);
  if (!read.success) return undefined;
  const [atSeconds, seen, until, ...last] = read.data;
  return until === undefined ? { atSeconds, seen } : { atSeconds, seen, until, last: last as unknown as readonly [string, string, string] };
}
