import {
  closeSync,
  createReadStream,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { createGunzip, gzipSync } from "node:zlib";
import { errorCode } from "../../base/error-code.ts";
import { SetupError } from "../../base/setup-error.ts";
import { END_MARK, wholeBytes } from "./end-mark.ts";

/** One archived row: where it stands, and its columns as they were. */
export interface ArchivedRow {
  readonly table: string;
  readonly project_id: number;
  readonly key: Readonly<Record<string, string>>;
  /** What the row belongs to, for erasures. */
  readonly about: RowSubject;
  readonly columns: Readonly<Record<string, string | null>>;
}

export interface RowSubject {
  readonly trace_id: string | null;
  readonly span_id: string | null;
  /** `type:id`. */
  readonly entity?: string | null;
  readonly user?: string | null;
  readonly conversation?: string | null;
}

const NAME = /^content-p(\d+)-(\d{4}-\d{2}-\d{2})\.jsonl\.gz$/;

export interface ArchiveFile {
  readonly path: string;
  readonly projectId: number;
  /** UTC day of the rows. */
  readonly day: string;
}

export const archivePath = (folder: string, projectId: number, day: string): string =>
  join(folder, `content-p${projectId}-${day}.jsonl.gz`);

/** The archive's files, oldest first; a folder that is not there has none. */
export function archiveFiles(folder: string): ArchiveFile[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .map((name) => ({ name, found: NAME.exec(name) }))
    .filter(({ found }) => found !== null)
    .map(({ name, found }) => ({ path: join(folder, name), projectId: Number(found?.[1]), day: found?.[2] ?? "" }))
    .toSorted((a, b) => (a.day < b.day ? -1 : 1));
}

/**
 * Adds rows to a file and waits until the disk has them: only then may they leave the database. Each call is a member of its own of the gzip file. What an
 * earlier call left unfinished goes first; one that fails leaves the file as it was.
 */
export function appendRows(path: string, rows: readonly ArchivedRow[]): void {
  const member = gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  let file: number;
  try {
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
    file = openSync(path, "a", 0o600);
  } catch {
    throw new SetupError("The folder of the archive cannot be written: check that it is there and belongs to the collector's user.");
  }
  const whole = wholeBytes(path);
  try {
    ftruncateSync(file, whole);
    writeAll(file, Buffer.concat([...(whole === 0 ? [END_MARK] : []), member, END_MARK]));
    fsyncSync(file);
  } catch (error) {
    ftruncateSync(file, whole);
    throw error;
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** The rows of a file, one at a time; what a crash cut off is left out, since its rows are still in the database. */
export async function* readRows(path: string): AsyncGenerator<ArchivedRow> {
  const whole = wholeBytes(path);
  if (whole === 0) return;
  try {
    // The callback is told of an error that the loop throws anyway.
    for await (const line of linesOf(pipeline(createReadStream(path, { end: whole - 1 }), createGunzip(), () => {}))) {
      const row = parsed(line);
      if (row !== undefined) yield row;
    }
  } catch (error) {
    // A file without marks, of an earlier version, may be cut, too.
    if (errorCode(error) !== "Z_BUF_ERROR") throw error;
  }
}

/** Lines end with a line feed alone: node:readline ends them with U+2028 and U+2029, too, which JSON holds as they are. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let begun: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, end)]).toString("utf8");
      begun = [];
      from = end + 1;
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
  }
  if (begun.length > 0) yield Buffer.concat(begun).toString("utf8");
}

const LINE_FEED = 0x0a;

function parsed(line: string): ArchivedRow | undefined {
  try {
    return JSON.parse(line) as ArchivedRow;
  } catch {
    return undefined;
  }
}

const REWRITE_ROWS = 500;

/**
 * Takes rows out of a file for good: it is written anew beside the old one and put in its place, or goes with its last row; what a crash left of rows goes
 * in any case. Gives the number of rows that went.
 */
export async function removeRows(path: string, isGone: (row: ArchivedRow) => boolean): Promise<number> {
  rmSync(beside(path), { force: true });
  truncateSync(path, wholeBytes(path));
  let gone = 0;
  let stay = 0;
  for await (const row of readRows(path)) {
    if (isGone(row)) gone++;
    else stay++;
  }
  if (gone === 0) return 0;
  if (stay === 0) rmSync(path);
  else await rewrite(path, isGone);
  return gone;
}

const beside = (path: string): string => `${path}.new`;

async function rewrite(path: string, isGone: (row: ArchivedRow) => boolean): Promise<void> {
  const rewritten = beside(path);
  const kept: ArchivedRow[] = [];
  for await (const row of readRows(path)) {
    if (isGone(row)) continue;
    kept.push(row);
    if (kept.length >= REWRITE_ROWS) appendRows(rewritten, kept.splice(0));
  }
  if (kept.length > 0) appendRows(rewritten, kept);
  renameSync(rewritten, path);
}
