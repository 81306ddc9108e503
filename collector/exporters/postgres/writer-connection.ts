import pg from "pg";
import { within } from "../../base/within.ts";
import { createScript, type ScriptStatement, type StatementResult } from "./script.ts";

/** One session of the writer. After `destroy`, or once `alive` is false, it is of no more use. */
export interface WriterConnection {
  readonly alive: boolean;
  /** Settles, without an error, once the connection is of no more use. */
  readonly lost: Promise<void>;
  /** Runs all statements with their COPY data in one round trip; one result each. */
  run(statements: readonly ScriptStatement[]): Promise<StatementResult[]>;
  /** One statement with parameters. */
  query<R extends object>(sql: string, values: readonly unknown[]): Promise<R[]>;
  /** Cuts the connection without waiting for anybody. */
  destroy(): void;
  /** Says goodbye; falls back to `destroy` when the server does not answer. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly url: string;
  readonly timeoutMillis: number;
  /** Ends an attempt that nobody wants any more. */
  readonly signal?: AbortSignal;
}

const CLOSE_TIMEOUT_MS = 500;

/** PostgreSQL's own code for it, so that it is classified like the error that a write would meet. */
const READ_ONLY = "25006";

/**
 * Opens a session; pg does authentication, TLS and TCP_NODELAY. Rejects when that takes longer than the time-out, and for a server that
 * takes no writes (a standby, a full disk that its keeper has locked): connected is not the same as ready.
 */
export async function connectWriter({ url, timeoutMillis, signal }: ConnectOptions): Promise<WriterConnection> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: timeoutMillis,
    application_name: "genspan-writer",
    keepAlive: true,
  });
  const cut = (): void => {
    client.connection?.stream.destroy();
  };
  const connection = guard(client, cut);
  signal?.addEventListener("abort", cut, { once: true });
  try {
    await within(client.connect(), timeoutMillis, cut);
    const [readOnly] = await within(connection.run([{ sql: "SHOW transaction_read_only" }]), timeoutMillis, cut);
    if (readOnly?.rows[0]?.[0] === "on") throw Object.assign(new Error("the database takes no writes"), { code: READ_ONLY });
  } catch (error) {
    connection.destroy();
    throw error;
  } finally {
    signal?.removeEventListener("abort", cut);
  }
  return connection;
}

/** A client whose calls all end with the connection, whatever pg does with statements that are under way then. */
function guard(client: pg.Client, cut: () => void): WriterConnection {
  let alive = true;
  let end: Error | undefined;
  const { promise: lost, resolve: setLost } = Promise.withResolvers<void>();
  const underWay = new Set<(error: Error) => void>();
  const fail = (error: Error): void => {
    alive = false;
    end ??= error;
    for (const reject of underWay) reject(end);
    setLost();
  };
  client.on("error", fail);
  client.on("end", () => fail(new Error("the database closed the connection")));
  // No race against one promise that lives as long as the session: it would keep the result of every statement.
  const guarded = <T>(work: Promise<T>): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    underWay.add(reject);
    void work.then(resolve, reject).then(() => underWay.delete(reject));
    if (end !== undefined) reject(end);
    return promise;
  };
  return {
    get alive() {
      return alive;
    },
    lost,
    run(statements) {
      const { statement, done } = createScript(statements);
      client.query(statement);
      return guarded(done);
    },
    async query<R extends object>(sql: string, values: readonly unknown[]) {
      const result = await guarded(client.query<R>(sql, [...values]));
      return result.rows;
    },
    destroy() {
      fail(new Error("the connection was given up"));
      cut();
    },
    async close() {
      alive = false;
      await within(client.end(), CLOSE_TIMEOUT_MS, cut).catch(() => {});
      fail(new Error("the connection is closed"));
    },
  };
}

/** pg declares no `connection` on ClientBase; it has been there since its first version and is what a Submittable is handed. */
declare module "pg" {
  interface ClientBase {
    readonly connection?: { readonly stream: import("node:stream").Duplex };
  }
}
