import type { ByteWriter } from "../../base/byte-writer.ts";
import type { TableRows } from "./batch.ts";
import { frameRows } from "./copy-frame.ts";
import type { Statements } from "./statements.ts";
import type { WriterConnection } from "./writer-connection.ts";

/** The only proof of a commit: a failed statement inside the transaction turns it into ROLLBACK without an error. */
const COMMITTED = "COMMIT";

/** BEGIN, one COPY per table, COMMIT in one round trip. Rejects with the server's error; nothing is then stored. */
export async function writeFast(
  connection: WriterConnection,
  statements: Statements,
  tables: readonly TableRows[],
  out: ByteWriter,
): Promise<void> {
  out.clear();
  const begins = tables.map(({ rows }) => frameRows(out, rows));
  const content = out.view();
  const copies = begins.map((begin, i) => content.subarray(begin, begins[i + 1] ?? content.length));
  const sql = [statements.begin, ...tables.map(({ table }) => statements.copy(table)), "COMMIT"].join("; ");
  const tags = await connection.copy(sql, copies);
  if (tags.at(-1) !== COMMITTED) throw new Error(`the transaction ended with ${tags.at(-1) ?? "nothing"}`);
}
