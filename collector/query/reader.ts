import type { TransactionSql } from "postgres";
import { postgres, SESSION } from "../../schema/driver.ts";
import { errorCode } from "../base/error-code.ts";
import { RequestError } from "../base/request-error.ts";
import { exactJson, exactNumber, isoTime } from "./exact.ts";
import { type Fragment, statement } from "./sql.ts";

/** Asks one question within a read. Times come as ISO text with microseconds, numbers as `ExactNumber`, JSON parsed. */
export type Ask = <Row>(question: Fragment) => Promise<Row[]>;

export interface ReadScope {
  readonly projectId: number;
  /** A question that takes longer is given up with `query_timeout`; without it READ_TIMEOUT_MS. */
  readonly timeoutMillis?: number;
  /** When it is aborted the database stops the question that it is at, and the read rejects with the reason. */
  readonly signal?: AbortSignal;
}

/** Everything that people and programs read passes here: as a login that may only read, and sees one project. */
export interface Reader {
  /** Runs `work` in one read-only transaction. Throws RequestError when the database gives no answer. */
  read<T>(scope: ReadScope, work: (ask: Ask) => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

export interface ReaderOptions {
  /** The reading login (schema/reader.ts). */
  readonly url: string;
  readonly schema: string;
  readonly maxConnections: number;
  /** Hears every question before it is asked. */
  readonly onQuestion?: (question: Fragment) => void;
}

/** A question that takes longer than this is too wide: see record 0012. */
export const READ_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_SECONDS = 3;
const IDLE_TIMEOUT_SECONDS = 60;
/** Reads that wait for a connection beyond this are told to come back. */
const MAX_WAITING = 200;

/** Object ids of pg_type. */
const NUMBERS = [20, 1700];
const JSONS = [114, 3802];
const TIMES = [1184];

export function createReader(options: ReaderOptions): Reader {
  const pool = postgres(options.url, {
    max: options.maxConnections,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    idle_timeout: IDLE_TIMEOUT_SECONDS,
    onnotice: () => {},
    connection: { application_name: "genspan reader", ...SESSION },
    types: {
      exact: { to: 1700, from: NUMBERS, serialize: String, parse: exactNumber },
      json: { to: 114, from: JSONS, serialize: JSON.stringify, parse: exactJson },
      time: { to: 1184, from: TIMES, serialize: asTime, parse: isoTime },
    },
  });
  let waiting = 0;
  return {
    async read(scope, work) {
      if (waiting >= MAX_WAITING) throw new RequestError("unavailable", "too many questions wait for an answer: ask again in a moment");
      waiting++;
      try {
        return (await pool.begin("READ ONLY", async (tx) => {
          await enter(tx, options.schema, scope);
          return work((question) => {
            options.onQuestion?.(question);
            return ask(tx, question, scope.signal);
          });
        })) as never;
      } catch (error) {
        scope.signal?.throwIfAborted();
        throw readError(error, scope.timeoutMillis ?? READ_TIMEOUT_MS);
      } finally {
        waiting--;
      }
    },
    end: () => pool.end({ timeout: 1 }),
  };
}

const asTime = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value));

/** Settings of this transaction alone: the login sees nothing before it says which project it reads. */
async function enter(tx: TransactionSql, schema: string, { projectId, timeoutMillis = READ_TIMEOUT_MS }: ReadScope): Promise<void> {
  await tx`SELECT set_config('genspan.project', ${String(projectId)}, true), set_config('statement_timeout', ${`${timeoutMillis}ms`}, true),
    set_config('search_path', quote_ident(${schema}), true), set_config('jit', 'off', true)`;
}

/** The one place where text becomes a statement; `sql` templates are its only source. */
async function ask<Row>(tx: TransactionSql, question: Fragment, signal: AbortSignal | undefined): Promise<Row[]> {
  const { text, values } = statement(question);
  signal?.throwIfAborted();
  const asked = tx.unsafe<(Row & object)[]>(text, values as never[]);
  const cancel = (): void => void asked.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return [...(await asked)];
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

const CANCELLED = "57014";
/** Values that fit no type of a column, numbers out of range: what was asked for cannot exist. */
const UNREADABLE_VALUE = /^22/;
const NO_ANSWER = /^(08|53|57|58|CONNECT|CONNECTION_|E[A-Z]+$)/;

/** What the asker is told; errors of ours come back as they are. */
function readError(error: unknown, timeoutMillis: number): unknown {
  const code = errorCode(error);
  if (error instanceof RequestError) return error;
  if (code === CANCELLED)
    return new RequestError(
      "query_timeout",
      `no answer within ${timeoutMillis / 1000} s: narrow it by from and to, or by a filter such as model`,
    );
  if (UNREADABLE_VALUE.test(code)) return new RequestError("bad_request", "a value of the query cannot be compared with what is stored");
  if (NO_ANSWER.test(code)) return new RequestError("unavailable", "the database does not answer at the moment: ask again in a moment");
  return error;
}
