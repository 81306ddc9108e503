import { setTimeout as sleep } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import { type Program, removeFolder, startProgram } from "../support/program.ts";
import { cpuMicrosOf, cpuMicrosOfTree, residentBytes } from "./machine.ts";
import type { SendOrder, SendReport } from "./sender.ts";
import { type BenchServer, openServer } from "./server.ts";
import { startWorker, type WorkerLink } from "./worker-link.ts";

/** Server, collector and sender, each a process of its own, and what they were seen to use. */
export interface Stage {
  readonly server: BenchServer;
  readonly program: Program;
  readonly sender: WorkerLink;
  readonly sql: Sql;
  /** Highest resident size of the collector in each load that was sent to it, in the order of the loads. */
  readonly residentMiB: number[];
  close(): Promise<void>;
}

/** A load as measured from outside. CPU in microseconds per acknowledged span; `server` is undefined where it runs elsewhere. */
export interface LoadResult extends SendReport {
  readonly spansPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly microsPerSpan: { readonly sender: number; readonly collector: number; readonly server: number | undefined };
  readonly residentMiB: number;
}

export type Load = Omit<SendOrder, "url">;

const WATCH_EVERY_MS = 100;

export async function openStage(serverChoice: string): Promise<Stage> {
  const server = await openServer(serverChoice);
  try {
    const program = await startProgram({ env: { DATABASE_URL: server.url } });
    const sender = startWorker("sender.ts");
    const sql = postgres(server.url, { max: 1, onnotice: () => {} });
    const close = async (): Promise<void> => {
      await sender.close();
      await sql.end({ timeout: 1 });
      await program.end();
      removeFolder(program);
      await server.close();
    };
    return { server, program, sender, sql, residentMiB: [], close };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** SQLSTATE of a deadlock: the collector may be looking at the tables just then. */
const DEADLOCK = "40P01";

/**
 * Empties the tables that grow, and waits until the collector has nothing left to do with what was in them, so that it works neither
 * beside the baseline nor beside the next load. Resources and scopes stay: the collector knows which of them are there.
 */
export async function emptyTables(stage: Stage): Promise<void> {
  const { sql } = stage;
  for (let emptied = false; !emptied; ) {
    emptied = await sql`TRUNCATE spans, generation_logs, log_records`.then(
      () => true,
      (error: unknown) => {
        if ((error as { code?: unknown }).code !== DEADLOCK) throw error;
        return false;
      },
    );
  }
  await sql`CHECKPOINT`;
  await untilIdle(collectorOf(stage).pid);
}

const IDLE_SHARE = 0.05;
const IDLE_LOOK_MS = 400;
const IDLE_WITHIN_MS = 120_000;

/** Waits until a process uses hardly any CPU. Throws when it never comes to rest: what is measured beside it would mean nothing. */
async function untilIdle(pid: number): Promise<void> {
  const deadline = performance.now() + IDLE_WITHIN_MS;
  for (;;) {
    const before = cpuMicrosOf(pid);
    await sleep(IDLE_LOOK_MS);
    if (cpuMicrosOf(pid) - before <= IDLE_LOOK_MS * 1000 * IDLE_SHARE) return;
    if (performance.now() > deadline) throw new Error("the collector does not come to rest after a load");
  }
}

export async function countRows({ sql }: Pick<Stage, "sql">): Promise<{ spans: number; generations: number }> {
  const [row] = await sql`SELECT (SELECT count(*) FROM spans)::int AS spans, (SELECT count(*) FROM generation_logs)::int AS generations`;
  return { spans: Number(row?.["spans"]), generations: Number(row?.["generations"]) };
}

interface Receiver {
  readonly url: string;
  readonly pid: number;
}

/** The collector under test. */
export const collectorOf = ({ program }: Stage): Receiver => ({ url: program.otlpUrl, pid: program.process.pid ?? 0 });

/**
 * Sends one load and checks it: every request answered 200, every acknowledged span and model call in its table, and nothing else.
 * Throws where that does not hold: a figure of lost or refused spans is none.
 */
export async function sendLoad(stage: Stage, load: Load, receiver: Receiver = collectorOf(stage)): Promise<LoadResult> {
  const before = await countRows(stage);
  await stage.sender.ask({ ...load, url: receiver.url } satisfies SendOrder);
  const usage = watchUsage(stage, receiver.pid);
  const report = await stage.sender.ask<SendReport>("go");
  const used = usage.stop();
  const after = await countRows(stage);
  checkCounts(report, { spans: after.spans - before.spans, generations: after.generations - before.generations });
  if (receiver.pid === collectorOf(stage).pid) stage.residentMiB.push(used.residentMiB);
  const perSpan = (micros: number): number => micros / report.acknowledgedSpans;
  return {
    ...report,
    spansPerSecond: report.acknowledgedSpans / (report.wallMillis / 1000),
    megabytesPerSecond: report.wireBytes / 1e6 / (report.wallMillis / 1000),
    microsPerSpan: {
      sender: perSpan(report.cpuMicros),
      collector: perSpan(used.receiverMicros),
      server: used.serverMicros === undefined ? undefined : perSpan(used.serverMicros),
    },
    residentMiB: used.residentMiB,
  };
}

function watchUsage({ server }: Stage, pid: number) {
  const cpuNow = (): { receiver: number; server: number | undefined } => ({
    receiver: cpuMicrosOf(pid),
    server: server.postmasterPid === undefined ? undefined : cpuMicrosOfTree(server.postmasterPid),
  });
  const begin = cpuNow();
  let resident = residentBytes(pid);
  const watch = setInterval(() => {
    resident = Math.max(resident, residentBytes(pid));
  }, WATCH_EVERY_MS);
  return {
    stop() {
      clearInterval(watch);
      const end = cpuNow();
      return {
        receiverMicros: end.receiver - begin.receiver,
        serverMicros: end.server === undefined ? undefined : end.server - (begin.server ?? 0),
        residentMiB: Math.max(resident, residentBytes(pid)) / 2 ** 20,
      };
    },
  };
}

export function checkCounts(report: SendReport, stored: { readonly spans: number; readonly generations: number }): void {
  const refused = Object.entries(report.failures).map(([status, count]) => `${count} × ${status === "0" ? "no answer" : status}`);
  if (refused.length > 0) throw new Error(`not every request was answered 200: ${refused.join(", ")}`);
  const { acknowledgedSpans: spans, acknowledgedGenerations: generations } = report;
  if (stored.spans === spans && stored.generations === generations) return;
  throw new Error(
    `acknowledged: ${spans} spans with ${generations} model calls; stored: ${stored.spans} spans, ${stored.generations} generation rows`,
  );
}
