import type { Connection, Submittable } from "pg";

/** Protocol messages of the front end (PostgreSQL, "Message Formats"). */
const QUERY = 0x51;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

/** What pg's client calls while our statement is the active one; the parts that @types/pg does not name. */
interface ActiveStatement extends Submittable {
  handleCommandComplete(message: { text: string }): void;
  handleReadyForQuery(): void;
  handleError(error: Error): void;
  handleRowDescription(): void;
  handleDataRow(): void;
  handleCopyInResponse(): void;
  handleCopyData(): void;
  handleEmptyQuery(): void;
  handlePortalSuspended(): void;
}

/**
 * One simple-protocol query string with several COPY … FROM STDIN in it, and the data of all of them, sent in one write: the whole
 * transaction costs one round trip and ends with one ReadyForQuery. `copies` are complete CopyData messages, in order.
 * Settles with the command tags, or with the server's error; data that follows an error is ignored by the server.
 */
export function copyTransaction(sql: string, copies: readonly Buffer[]): { statement: Submittable; done: Promise<string[]> } {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const tags: string[] = [];
  const ignore = (): void => {};
  const statement: ActiveStatement = {
    submit(connection: Connection) {
      const { stream } = connection;
      stream.cork();
      stream.write(queryMessage(sql));
      for (const copy of copies) {
        stream.write(copy);
        stream.write(COPY_DONE);
      }
      stream.uncork();
    },
    handleCommandComplete: (message) => tags.push(message.text),
    handleReadyForQuery: () => resolve(tags),
    handleError: reject,
    handleRowDescription: ignore,
    handleDataRow: ignore,
    handleCopyInResponse: ignore,
    handleCopyData: ignore,
    handleEmptyQuery: ignore,
    handlePortalSuspended: ignore,
  };
  return { statement, done: promise };
}

function queryMessage(sql: string): Buffer {
  const text = Buffer.from(sql, "utf8");
  const message = Buffer.alloc(text.length + 6);
  message[0] = QUERY;
  message.writeUInt32BE(text.length + 5, 1);
  text.copy(message, 5);
  return message;
}
