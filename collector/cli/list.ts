import type { Command } from "commander";
import { type ApiFlags, type ApiRow, keyValue, useApi, withApi } from "./api.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { openPage } from "./open.ts";
import { type CliInput, positiveInteger, withExamples, withOutput } from "./options.ts";
import { writeResult } from "./output.ts";
import { type Cell, cellOf, type ResultSet } from "./result-set.ts";

/** The flags that select rows: the same words as in the addresses of API and pages. */
export interface FilterFlags extends ApiFlags {
  readonly filter: readonly (readonly [string, string])[];
  readonly urlFilter?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface ListFlags extends FilterFlags {
  readonly sort?: string;
  readonly limit: number;
  readonly all?: true;
  readonly columns?: string;
  readonly open?: true;
}

const DEFAULT_ROWS = 50;

export const withFilter = (command: Command): Command =>
  command
    .option("-f, --filter <key=value>", "such as model=gpt-5 or -status=success; may be repeated", keyValue, [])
    .option("--url-filter <url>", "the filter of a page's or the API's address")
    .option("--from <time>", "-24h, 2026-11-21, 2026-11-21T08:15:00Z")
    .option("--to <time>", "rows before this time");

export const withPaging = (command: Command): Command =>
  command
    .option("--sort <column>", "time, or another column of the list; with - the largest first")
    .option("--limit <n>", "rows at most", positiveInteger, DEFAULT_ROWS)
    .option("--all", "every row")
    .option("--columns <names>", "columns to show, separated by commas")
    .option("--open", "show them in the browser instead");

/** The query string that the flags say. */
export function filterQuery(flags: FilterFlags & { readonly sort?: string }): URLSearchParams {
  const query = new URLSearchParams(flags.urlFilter === undefined ? "" : searchOf(flags.urlFilter));
  for (const key of ["limit", "after"]) query.delete(key);
  for (const [key, value] of flags.filter) query.append(key, value);
  for (const key of ["from", "to", "sort"] as const) if (flags[key] !== undefined) query.set(key, flags[key]);
  return query;
}

function searchOf(url: string): string {
  if (!URL.canParse(url))
    throw new CommandError(EXIT.usage, "--url-filter must be an address such as http://127.0.0.1:4319/generations?status=failed.");
  return new URL(url).search;
}

/** One `list` command of a noun. */
export interface ListSpec {
  /** Of the API. */
  readonly path: string;
  /** What a table shows; other forms give every field. */
  readonly columns: readonly string[];
  readonly description: string;
  readonly examples: readonly [string, ...string[]];
}

/** Adds `<noun> list`. */
export function addList(noun: Command, input: CliInput, spec: ListSpec): Command {
  const command = withOutput(withPaging(withFilter(withApi(noun.command("list"), input.env))))
    .description(spec.description)
    .action(async (flags: ListFlags) => void (await runList(input, flags, spec)));
  return withExamples(command, ...spec.examples);
}

/** Prints the rows of a list; resolves with their number. */
export async function runList(input: CliInput, flags: ListFlags, { path, columns }: Pick<ListSpec, "path" | "columns">): Promise<number> {
  if (flags.open === true) {
    const query = filterQuery(flags);
    await openPage(input, flags, `${path.replace(/^\/api\//, "")}${query.size === 0 ? "" : `?${query}`}`);
    return 0;
  }
  return useApi(input, flags, async (api) => {
    const limit = flags.all === true ? Number.POSITIVE_INFINITY : flags.limit;
    const chosen =
      flags.columns?.split(",").map((column) => column.trim()) ?? (flags.output === "table" || flags.output === "md" ? columns : undefined);
    let more = false;
    const pages = api.pages(path, filterQuery(flags), limit, () => {
      more = true;
    });
    const written = await writeResult(await rowsResult(pages, { chosen, fallback: columns }), flags.output, input.terminal);
    // Who asked for so many knows; who asked for none is told.
    if (more && limit === DEFAULT_ROWS) input.terminal.note(`There are more than ${DEFAULT_ROWS} rows: give --all, or another --limit.`);
    return written;
  });
}

interface Columns {
  /** Undefined takes every field of the first row. */
  readonly chosen: readonly string[] | undefined;
  /** Columns of a result without rows. */
  readonly fallback: readonly string[];
}

/** Rows of the API as a result; all rows of a list have the same fields. Throws CommandError for a column that they lack. */
export async function rowsResult(pages: AsyncGenerator<readonly ApiRow[]>, { chosen, fallback }: Columns): Promise<ResultSet> {
  const first = await pages.next();
  const sample = first.done === true ? undefined : first.value[0];
  const columns = chosen ?? (sample === undefined ? fallback : Object.keys(sample));
  const missing = sample === undefined ? [] : columns.filter((column) => !Object.hasOwn(sample, column));
  if (sample !== undefined && missing.length > 0)
    throw new CommandError(EXIT.usage, `There is no column ${missing.join(", ")}; there are ${Object.keys(sample).join(", ")}.`);
  const cells = (rows: readonly ApiRow[]): Cell[][] => rows.map((row) => columns.map((column) => cellOf(row[column])));
  return {
    columns,
    batches: (async function* () {
      if (first.done !== true && first.value.length > 0) yield cells(first.value);
      for await (const rows of pages) if (rows.length > 0) yield cells(rows);
    })(),
  };
}

/** A few rows that are already there. */
export const smallResult = (rows: readonly ApiRow[], fallback: readonly string[]): Promise<ResultSet> =>
  rowsResult(
    (async function* () {
      yield rows;
    })(),
    { chosen: undefined, fallback },
  );
