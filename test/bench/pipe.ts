import pg, { type Connection, type Submittable } from "pg";

/** A session that sends a query string and its COPY data in one write and waits for the end: as little client as there can be. */
export interface Pipe {
  copy(sql: string, copies: readonly Buffer[]): Promise<void>;
  close(): Promise<void>;
}

const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

export async function openPipe(url: string): Promise<Pipe> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  return {
    copy: (sql, copies) =>
      new Promise((resolve, reject) => {
        let last = "";
        const ignore = (): void => {};
        const statement = {
          submit({ stream }: Connection) {
            const text = Buffer.from(sql);
            const head = Buffer.alloc(5);
            head[0] = 0x51;
            head.writeUInt32BE(text.length + 5, 1);
            stream.cork();
            stream.write(head);
            stream.write(text);
            stream.write(Buffer.alloc(1));
            for (const copy of copies) {
              stream.write(copy);
              stream.write(COPY_DONE);
            }
            stream.uncork();
          },
          handleCommandComplete: (message: { text: string }) => {
            last = message.text;
          },
          handleReadyForQuery: () => (last === "COMMIT" ? resolve() : reject(new Error(`ended with ${last}`))),
          handleError: reject,
          handleRowDescription: ignore,
          handleDataRow: ignore,
          handleCopyInResponse: ignore,
        };
        client.query(statement as unknown as Submittable);
      }),
    close: () => client.end(),
  };
}
