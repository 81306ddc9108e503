import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createConnection, createServer, type Socket } from "node:net";

/** Run as a process of its own: `driver-losses.ts corrected|published URL`. Prints one JSON line per way of losing a connection in mid-transaction. */
const [which, given = ""] = process.argv.slice(2);
const { postgres } = which === "corrected" ? await import("../../schema/driver.ts") : { postgres: (await import("postgres")).default };

const target = new URL(given);
const open: { client: Socket; server: Socket }[] = [];
const proxy = createServer((client) => {
  const server = createConnection(Number(target.port), target.hostname);
  client.pipe(server).pipe(client);
  for (const socket of [client, server]) socket.on("error", () => {});
  open.push({ client, server });
}).listen(0, "127.0.0.1");
await once(proxy, "listening");

const CUTS: Readonly<Record<string, (client: Socket) => void>> = {
  end: (client) => client.end(),
  destroy: (client) => client.destroy(),
  reset: (client) => client.resetAndDestroy(),
};

const url = new URL(target);
url.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
const sql = postgres(url.href, { max: 1, connect_timeout: 1 });

for (const [how, cut] of Object.entries(CUTS)) {
  await sql`SELECT 1`;
  const { client, server } = open.at(-1)!;
  const transaction = sql.begin(async (tx) => {
    await tx`SELECT 1`;
    setTimeout(() => {
      server.unpipe(client);
      cut(client);
      server.destroy();
    }, 20);
    // The second one is refused as well, and does not take the connection out of the pool.
    await tx`SELECT pg_sleep(${0.3})`.catch(() => tx`SELECT pg_sleep(${0.3})`);
  });
  const lost = await transaction.then(String, (error: { code?: string }) => error.code);
  const [row] = await sql`SELECT ${2}::int AS answer`;
  process.stdout.write(`${JSON.stringify({ how, lost, answer: row?.["answer"] })}\n`);
}
process.exit(0);
