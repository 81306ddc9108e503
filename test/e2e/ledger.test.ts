import postgres from "postgres";
import { expect, it } from "vitest";
import { readEmbeddedState } from "../../collector/embedded/index.ts";
import { startPrivateCluster } from "../support/database.ts";
import { auditLedger, type LedgerOptions, runLedger } from "../support/ledger.ts";
import { type Program, removeFolder, startProgram } from "../support/program.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";
/** 20,000 spans from 4 senders. */
const LOAD = { senders: 4, requestsPerSender: 100, spansPerRequest: 50 };
const ALL = LOAD.senders * LOAD.requestsPerSender * LOAD.spansPerRequest;
const KILLS = LONG ? 20 : 3;
const KEPT = { lost: 0, changed: 0, twice: 0, withoutGeneration: 0 };
const TIMEOUT_MS = 300_000;

/** Runs `disturb` when a third of the requests is acknowledged, and again after each further step. */
function disturbing(times: number, disturb: () => void): Pick<LedgerOptions, "onAcknowledged"> {
  const requests = LOAD.senders * LOAD.requestsPerSender;
  let seen = 0;
  let done = 0;
  return {
    onAcknowledged() {
      seen++;
      if (done < times && seen >= ((done + 1) * requests) / (times + 1)) {
        done++;
        disturb();
      }
    },
  };
}

it(
  "DBF-02 PostgreSQL killed -9 and restarted under load: every acknowledged span is there exactly once",
  async () => {
    const cluster = await startPrivateCluster("embedded");
    const program = await startProgram({ env: { DATABASE_URL: cluster.url } });
    const sql = postgres(cluster.url, { max: 1, onnotice: () => {} });
    try {
      let restarts = Promise.resolve();
      let kills = 0;
      const killAndRestart = (): void => {
        kills++;
        cluster.kill9();
        restarts = restarts.then(() => new Promise<void>((resolve) => setTimeout(resolve, 500))).then(() => cluster.start());
      };
      const ledger = await runLedger({ ...LOAD, otlpUrl: () => program.otlpUrl, ...disturbing(2, killAndRestart) });
      await restarts;
      expect(ledger.entries).toHaveLength(ALL);
      expect(ledger.entries.every((entry) => entry.acknowledged)).toBe(true);
      expect(kills).toBe(2);
      expect(await auditLedger(ledger, sql)).toEqual(KEPT);
      expect(await program.end()).toBe(0);
    } finally {
      await sql.end({ timeout: 1 });
      await program.end("SIGKILL");
      removeFolder(program);
      await cluster.destroy();
    }
  },
  TIMEOUT_MS,
);

it(
  `PRC-02 the collector killed -9 under load (${KILLS} times): nothing acknowledged is lost, nothing is there twice, and the orphaned database is taken over`,
  async () => {
    let program = await startProgram();
    const { folder } = program;
    const env = { GENSPAN_DATA_DIR: `${folder}/data` };
    const programs: Program[] = [program];
    let restarts = Promise.resolve();
    const killAndRestart = (): void => {
      program.process.kill("SIGKILL");
      restarts = restarts.then(async () => {
        program = await startProgram({ env });
        programs.push(program);
      });
    };
    try {
      const ledger = await runLedger({ ...LOAD, otlpUrl: () => program.otlpUrl, ...disturbing(KILLS, killAndRestart) });
      await restarts;
      expect(programs).toHaveLength(KILLS + 1);
      expect(ledger.entries.every((entry) => entry.acknowledged)).toBe(true);
      const sql = postgres(readEmbeddedState(env.GENSPAN_DATA_DIR)!.url, { max: 1, onnotice: () => {} });
      expect(await auditLedger(ledger, sql)).toEqual(KEPT);
      await sql.end();
      expect(await program.end()).toBe(0);
    } finally {
      await restarts.catch(() => {});
      await program.end("SIGTERM");
      for (const each of programs) removeFolder(each);
    }
  },
  TIMEOUT_MS,
);

it(
  "PRC-01 SIGTERM under load: what was acknowledged is stored, nothing is accepted afterwards, the exit code is 0",
  async () => {
    const cluster = await startPrivateCluster("embedded");
    const program = await startProgram({ env: { DATABASE_URL: cluster.url } });
    const next = await startProgram({ env: { DATABASE_URL: cluster.url } });
    const sql = postgres(cluster.url, { max: 1, onnotice: () => {} });
    try {
      let stopping: Promise<number | null> | undefined;
      const stop = (): void => {
        stopping = program.end("SIGTERM");
      };
      const url = (): string => (stopping === undefined ? program.otlpUrl : next.otlpUrl);
      const ledger = await runLedger({ ...LOAD, otlpUrl: url, ...disturbing(1, stop) });
      expect(await stopping).toBe(0);
      expect(ledger.entries.every((entry) => entry.acknowledged)).toBe(true);
      expect(await auditLedger(ledger, sql)).toEqual(KEPT);
      await expect(fetch(`${program.otlpUrl}/v1/traces`, { method: "POST" })).rejects.toThrow();
      expect(await next.end()).toBe(0);
    } finally {
      await sql.end({ timeout: 1 });
      for (const each of [program, next]) {
        await each.end("SIGKILL");
        removeFolder(each);
      }
      await cluster.destroy();
    }
  },
  TIMEOUT_MS,
);

it(
  "the embedded database killed -9 under a living collector comes back by itself",
  async () => {
    const program = await startProgram();
    const state = readEmbeddedState(`${program.folder}/data`)!;
    const before = await runLedger({ otlpUrl: () => program.otlpUrl, senders: 1, requestsPerSender: 2, spansPerRequest: 10 });
    const pid = postgres(state.url, { max: 1, onnotice: () => {} });
    const [{ postmaster }] = (await pid`SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)::int AS postmaster`) as unknown as [
      { postmaster: number },
    ];
    await pid.end();
    process.kill(-postmaster, "SIGKILL");
    const after = await runLedger({ otlpUrl: () => program.otlpUrl, senders: 1, requestsPerSender: 2, spansPerRequest: 10 });
    const sql = postgres(state.url, { max: 1, onnotice: () => {} });
    expect([...before.entries, ...after.entries].every((entry) => entry.acknowledged)).toBe(true);
    expect(await auditLedger({ entries: [...before.entries, ...after.entries], refusals: 0 }, sql)).toEqual(KEPT);
    await sql.end();
    expect(await program.end()).toBe(0);
    removeFolder(program);
  },
  TIMEOUT_MS,
);
