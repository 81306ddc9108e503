import { type Command, InvalidArgumentError } from "commander";
import type { ApiConnection, ConnectionOptions } from "./actions.ts";
import { checkType, objectOf, pageOf, refusal } from "./answer.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { type CliInput, databaseOptions, type Flags, projectOf, variable, withDatabase, withProject } from "./options.ts";
import { FILE_KEY, FOLDER_DATABASE, FOLDER_URL } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** The flags of every command that asks the API. */
export interface ApiFlags extends Flags {
  readonly url?: string;
  readonly key?: string;
  readonly project?: number;
  readonly archive?: readonly string[];
  readonly showSql?: true;
}

/** Gives a command its two ways to the data: a collector by HTTP, or a database. */
export const withApi = (command: Command, env: CliInput["env"]): Command =>
  withProject(withDatabase(command, env), "project, where a database is asked")
    .option("--url <url>", "a running collector's web address, such as http://127.0.0.1:4319; else GENSPAN_URL, else the database")
    .option("--key <key>", "key for --url; else GENSPAN_KEY")
    .option("--show-sql", "also the queries that a database is asked, on standard error, to be run again by genspan sql");

/** A flag beats the environment; a collector beats a database. */
export function connectionOptions(flags: ApiFlags, env: CliInput["env"]): ConnectionOptions {
  const url = flags.url ?? (flags.databaseUrl === undefined ? variable(env, "GENSPAN_URL") : undefined);
  if (url !== undefined && !(/^https?:\/\//i.test(url) && URL.canParse(url)))
    throw new CommandError(EXIT.usage, "--url must be a web address such as http://127.0.0.1:4319.");
  if (url !== undefined && `${new URL(url).username}${new URL(url).password}` !== "")
    throw new CommandError(EXIT.usage, "A key does not stand in the address, which is shown and logged: give it as --key or GENSPAN_KEY.");
  const archiveFolders = flags.archive ?? [];
  if (url !== undefined && archiveFolders.length > 0)
    throw new CommandError(EXIT.usage, "--archive is for a database: a collector knows its own folders.");
  if (url !== undefined && flags.showSql === true)
    throw new CommandError(EXIT.usage, "--show-sql is for a database: give --database-url, since a collector does not tell its queries.");
  if (url !== undefined && (flags.project !== undefined || variable(env, "GENSPAN_PROJECT") !== undefined))
    throw new CommandError(EXIT.usage, PROJECT_OF_KEY);
  const projectId = projectOf(flags, env);
  // Where a collector is asked, no password of a database goes anywhere.
  const database = databaseOptions(flags, url === undefined ? env : { ...env, [FOLDER_DATABASE]: undefined });
  return { ...database, url, key: url === undefined ? undefined : keyOf(flags, env), projectId, archiveFolders };
}

const PROJECT_OF_KEY =
  "A project cannot be chosen where a collector is asked, since the key decides it: leave out --project, GENSPAN_PROJECT and project in the settings (see genspan config list --show-origin).";

/** What may stand in a header, and nothing else does in a key. */
const KEY_TEXT = /^[\x21-\x7e]+$/;

/** The key for the address. Throws CommandError, without the key, for what can be none. */
function keyOf(flags: ApiFlags, env: CliInput["env"]): string | undefined {
  const key = givenKey(flags, env)?.trim();
  if (key === undefined || KEY_TEXT.test(key)) return key;
  throw new CommandError(EXIT.usage, "The key is empty or has characters that no key has: give it as it was shown when it was made.");
}

/** The environment's own key goes to no address that the folder's file chose. */
function givenKey(flags: ApiFlags, env: CliInput["env"]): string | undefined {
  const own = variable(env, "GENSPAN_KEY");
  if (flags.key !== undefined) return flags.key;
  if (flags.url !== undefined || flags.databaseUrl !== undefined) return own;
  const ofFile = variable(env, FILE_KEY);
  const folder = variable(env, FOLDER_URL);
  if (folder === undefined || ofFile !== undefined || own === undefined) return folder === undefined ? (own ?? ofFile) : ofFile;
  throw new CommandError(
    EXIT.usage,
    `GENSPAN_KEY is not sent to the address of ${folder}, which may be anybody's: if you trust it, give --url or GENSPAN_URL, or keep the address in ~/.config/genspan/config.json.`,
  );
}

/** The API as commands use it: every answer that is no success is a CommandError with the exit code that scripts know it by. */
export interface ApiClient {
  get(path: string, query?: URLSearchParams): Promise<unknown>;
  send(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<unknown>;
  /** For answers that are not JSON, or that are read as they come in. */
  open(path: string, query?: URLSearchParams, init?: RequestInit): Promise<Response>;
  /** Rows of a list, a page at a time, up to `limit`; `onMore` hears that there are more. */
  pages(path: string, query: URLSearchParams, limit: number, onMore?: () => void): AsyncGenerator<readonly ApiRow[]>;
}

export type ApiRow = Readonly<Record<string, unknown>>;

/** Runs `work` with the API and lets go of it afterwards. */
export async function useApi<T>({ actions, env, terminal }: CliInput, flags: ApiFlags, work: (api: ApiClient) => Promise<T>): Promise<T> {
  const onSql = flags.showSql === true ? { onSql: (text: string) => terminal.note(`${text};`) } : {};
  const connection = await actions.connect({ ...connectionOptions(flags, env), ...onSql });
  try {
    return await work(createClient(connection, terminal));
  } finally {
    await connection.close();
  }
}

const PAGE_ROWS = 1_000;

function createClient(connection: ApiConnection, terminal: Terminal): ApiClient {
  const open: ApiClient["open"] = async (path, query, init) => {
    const address = query === undefined || query.size === 0 ? path : `${path}?${query}`;
    const started = performance.now();
    const response = await connection.request(address, init);
    terminal.detail?.(`${init?.method ?? "GET"} ${address} ${response.status} ${Math.round(performance.now() - started)} ms`);
    if (!response.ok) throw await refusal(response);
    checkType(response);
    return response;
  };
  const get: ApiClient["get"] = async (path, query) => objectOf(await open(path, query));
  return {
    open,
    get,
    async send(method, path, body) {
      const init =
        body === undefined ? { method } : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      return objectOf(await open(path, undefined, init));
    },
    async *pages(path, query, limit, onMore) {
      const page = new URLSearchParams(query);
      for (let left = limit; left > 0; ) {
        page.set("limit", String(Math.min(left, PAGE_ROWS)));
        const { data, next } = await pageOf<ApiRow>(await open(path, page));
        yield data;
        left -= data.length;
        if (next === null || data.length === 0) return;
        if (left <= 0) onMore?.();
        page.set("after", next);
      }
    },
  };
}

/** Reads `key=value`. */
export function keyValue(text: string, known: readonly (readonly [string, string])[] = []): (readonly [string, string])[] {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("It must be key=value.");
  return [...known, [text.slice(0, equals), text.slice(equals + 1)]];
}
