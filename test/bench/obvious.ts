import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import postgres, { type JSONValue } from "postgres";
import { GENERATION_LOGS, SPANS } from "../../collector/rows/table-spec.ts";
import { obviousRows } from "./obvious-rows.ts";

/** The obvious collector, a process of its own: a library decodes, one INSERT … VALUES per table and request writes, committed before the answer. */
const sql = postgres(process.argv[2] ?? "", { max: 8, onnotice: () => {} });

async function store(body: Buffer): Promise<void> {
  const rows = obviousRows(body, (value) => sql.json(value as JSONValue));
  const generations = rows.flatMap(({ generation }) => generation ?? []);
  await sql.begin(async (tx) => {
    await tx`INSERT INTO ${tx(SPANS.name)} ${tx(rows.map(({ row }) => row))}`;
    if (generations.length > 0) await tx`INSERT INTO ${tx(GENERATION_LOGS.name)} ${tx(generations)}`;
  });
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    store(Buffer.concat(chunks)).then(
      () => response.writeHead(200, { "content-length": 0 }).end(),
      (error: Error) => {
        console.error(error.message);
        response.writeHead(500, { "content-length": 0 }).end();
      },
    );
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));
