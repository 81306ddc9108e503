import pg from "pg";
import { copyTransaction } from "./copy-transaction.ts";

/** One session of the writer. After `destroy`, or once `alive` is false, it is of no more use. */
export interface WriterConnection {
  readonly alive: boolean;
  /** Runs a query string with COPY data in one round trip; gives the command tags. */
  copy(sql: string, copies: readonly Buffer[]): Promise<string[]>;
  query<R extends object>(sql: string, values?: readonly unknown[]): Promise<R[]>;
  /** Cuts the connection without waiting for anybody. */
  destroy(): void;
  /** Says goodbye; falls back to `destroy` when the server does not answer. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly url: string;
  readonly timeoutMillis: number;
}

const CLOSE_TIMEOUT_MS = 500;

/** Opens a session; pg does authentication, TLS and TCP_NODELAY. Rejects when that takes longer than the time-out. */
export async function connectWriter(options: ConnectOptions): Promise<WriterConnection> {
  const client = new pg.Client({
    connectionString: options.url,
    connectionTimeoutMillis: options.timeoutMillis,
    application_name: "genspan-writer",
    keepAlive: true,
  });
  let alive = false;
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {});
  const fail = (error: Error): void => {
    alive = false;
    lost.reject(error);
  };
  client.on("error", fail);
  client.on("end", () => fail(new Error("the database closed the connection")));
  await within(client.connect(), options.timeoutMillis, () => client.connection?.stream.destroy());
  alive = true;
  const guarded = <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => {});
    return Promise.race([work, lost.promise]);
  };
  return {
    get alive() {
      return alive;
    },
    copy(sql, copies) {
      const { statement, done } = copyTransaction(sql, copies);
      client.query(statement);
      return guarded(done);
    },
    async query<R extends object>(sql: string, values: readonly unknown[] = []) {
      const result = await guarded(client.query<R>(sql, [...values]));
      return result.rows;
    },
    destroy() {
      fail(new Error("the connection was given up"));
      client.connection?.stream.destroy();
    },
    async close() {
      alive = false;
      await within(client.end(), CLOSE_TIMEOUT_MS, () => client.connection?.stream.destroy()).catch(() => {});
    },
  };
}

/** pg declares no `connection` on Client; it has been there since its first version and is what a Submittable is handed. */
declare module "pg" {
  interface ClientBase {
    readonly connection?: { readonly stream: import("node:stream").Duplex };
  }
}

/** `work`, or an error after `millis`; `giveUp` then ends what is left of it. */
export async function within<T>(work: Promise<T>, millis: number, giveUp: () => void): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new DeadlineError());
    giveUp();
  }, millis);
  work.catch(() => {});
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The database did not answer in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
  constructor() {
    super("the database did not answer in time");
  }
}
