import type { Connection, Submittable } from "pg";

/** One statement of a script. A `COPY … FROM STDIN` brings its rows along, framed as one or more CopyData messages. */
export interface ScriptStatement {
  readonly sql: string;
  readonly copyData?: Buffer;
}

/** What the server said of one statement; rows hold their columns as text. */
export interface StatementResult {
  readonly tag: string;
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Protocol messages of the front end (PostgreSQL, "Message Formats"). */
const QUERY = 0x51;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

/** What pg's client calls while our script is the active statement; @types/pg names only `submit`. */
interface ActiveStatement extends Submittable {
  handleCommandComplete(message: { text: string }): void;
  handleReadyForQuery(): void;
  handleError(error: Error): void;
  handleRowDescription(): void;
  handleDataRow(message: { fields: (string | null)[] }): void;
  handleCopyInResponse(): void;
  handleEmptyQuery(): void;
}

/**
 * Several statements as one simple-protocol query with the data of every COPY right behind it: a whole transaction is one write, one
 * round trip and one ReadyForQuery. `done` settles with a result per statement, or with the server's
 * first error: the server then skips the rest of the text, drops the data that still comes in, and waits for ROLLBACK.
 * The copy data must not change until the server has answered this or a later statement.
 */
export function createScript(statements: readonly ScriptStatement[]): { statement: Submittable; done: Promise<StatementResult[]> } {
  const { promise, resolve, reject } = Promise.withResolvers<StatementResult[]>();
  const results: StatementResult[] = [];
  let rows: (string | null)[][] = [];
  const statement: ActiveStatement = {
    submit: (connection) => send(connection, statements),
    handleCommandComplete({ text }) {
      results.push({ tag: text, rows });
      rows = [];
    },
    handleReadyForQuery: () => resolve(results),
    handleError: reject,
    handleRowDescription: () => {},
    handleDataRow: ({ fields }) => rows.push(fields),
    handleCopyInResponse: () => {},
    handleEmptyQuery: () => {},
  };
  return { statement, done: promise };
}

function send({ stream }: Connection, statements: readonly ScriptStatement[]): void {
  stream.cork();
  stream.write(queryMessage(statements.map(({ sql }) => sql).join(";\n")));
  for (const { copyData } of statements) {
    if (copyData === undefined) continue;
    stream.write(copyData);
    stream.write(COPY_DONE);
  }
  stream.uncork();
}

function queryMessage(sql: string): Buffer {
  const size = Buffer.byteLength(sql);
  const message = Buffer.alloc(size + 6);
  message[0] = QUERY;
  message.writeUInt32BE(size + 5, 1);
  message.write(sql, 5, "utf8");
  return message;
}
