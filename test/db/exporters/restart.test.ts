import { execFileSync } from "node:child_process";
import { cpSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog, type Log } from "../../../collector/base/log.ts";
import { checkWriter } from "../../../collector/exporters/postgres/check-writer.ts";
import { migrate } from "../../../schema/migrate.ts";
import type { TestCluster } from "../../support/cluster.ts";
import { startPrivateCluster } from "../../support/database.ts";
import { generation, hexId } from "../../support/encoded-request.ts";
import { createExporterRig, type ExporterRig, type RigOptions } from "../../support/exporter-rig.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";
/** About 2,000 spans a second: four senders with 25 every 50 ms. */
const SENDERS = 4;
const PER_REQUEST = 25;
const PAUSE_MS = 50;

/** What senders were told: seeds of items by the answer to their request. */
interface Ledger {
  readonly acknowledged: Set<string>;
  readonly refused: Set<string>;
  stop(): Promise<void>;
}

/** Sends until stopped; nothing is sent twice. */
function sendForever(rig: ExporterRig, prompt: string): Ledger {
  const acknowledged = new Set<string>();
  const refused = new Set<string>();
  let stopped = false;
  const send = async (sender: number): Promise<void> => {
    for (let n = 0; !stopped; n++) {
      const seeds = Array.from({ length: PER_REQUEST }, (_, i) => `${sender}/${n}/${i}`);
      const result = await rig.write(seeds.map((seed) => generation(seed, { prompt_full_text: `${prompt}${seed}` })));
      for (const seed of seeds) (result.kind === "committed" ? acknowledged : refused).add(seed);
      await sleep(PAUSE_MS);
    }
  };
  const senders = Promise.all(Array.from({ length: SENDERS }, (_, i) => send(i)));
  return {
    acknowledged,
    refused,
    async stop() {
      stopped = true;
      await senders;
    },
  };
}

describe("the database goes and comes back under load", () => {
  let cluster: TestCluster;
  let rig: ExporterRig;
  beforeEach(async () => {
    cluster = await startPrivateCluster("embedded");
    await migrate({ url: cluster.url });
    rig = rigOf();
  });
  afterEach(async () => {
    await rig.stop();
    await cluster.destroy();
  });
  const rigOf = (options: Partial<RigOptions> = {}): ExporterRig =>
    createExporterRig({ url: cluster.url, writeDeadlineMillis: 1_500, ...options });

  /** Every acknowledged item exactly once with its own content; a refused one at most once. */
  async function audit({ acknowledged, refused }: Ledger, prompt: string): Promise<void> {
    const sql = postgres(cluster.url, { max: 1 });
    const spans = await sql<{ name: string }[]>`SELECT name FROM spans`;
    const prompts = await sql<{ trace_id: string; prompt: string }[]>`SELECT trace_id, prompt_full_text AS prompt FROM generation_logs`;
    await sql.end();
    const names = spans.map((row) => row.name.replace("span ", ""));
    const promptOf = new Map(prompts.map((row) => [row.trace_id, row.prompt]));
    expect(new Set(names).size).toBe(names.length);
    expect(prompts.length).toBe(names.length);
    expect([...acknowledged].filter((seed) => promptOf.get(hexId(`trace ${seed}`, 32)) !== `${prompt}${seed}`)).toEqual([]);
    const stored = new Set(names);
    expect([...acknowledged].filter((seed) => !stored.has(seed))).toEqual([]);
    expect(names.filter((seed) => !acknowledged.has(seed) && !refused.has(seed))).toEqual([]);
  }

  async function recovers(ledger: Ledger): Promise<void> {
    const before = ledger.acknowledged.size;
    const began = performance.now();
    while (ledger.acknowledged.size === before && performance.now() - began < 15_000) await sleep(20);
    expect(performance.now() - began).toBeLessThan(10_000);
  }

  it("DBF-01 loses and doubles nothing over a fast restart, and resumes by itself", { timeout: 60_000 }, async () => {
    const ledger = sendForever(rig, "restart ");
    await sleep(1_000);
    await cluster.stop();
    await sleep(2_500);
    await cluster.start();
    await recovers(ledger);
    await sleep(500);
    await ledger.stop();
    expect(ledger.acknowledged.size).toBeGreaterThan(200);
    expect(ledger.refused.size).toBeGreaterThan(0);
    await audit(ledger, "restart ");
  });

  it(`DBF-02 loses and doubles nothing when the server is killed ${LONG ? 10 : 2} times`, { timeout: 180_000 }, async () => {
    const ledger = sendForever(rig, "kill ");
    for (let i = 0; i < (LONG ? 10 : 2); i++) {
      await sleep(700 + i * 37);
      cluster.kill9();
      await sleep(200);
      await cluster.start();
      await recovers(ledger);
    }
    await ledger.stop();
    await audit(ledger, "kill ");
  });

  it("DBF-09 waits out a server without a free connection, and warns of it at start", { timeout: 60_000 }, async () => {
    await cluster.stop();
    await cluster.start({ max_connections: "12", superuser_reserved_connections: "0" });
    const hogs = postgres(cluster.url, { max: 12, onnotice: () => {} });
    await Promise.all(Array.from({ length: 12 }, () => hogs`SELECT pg_sleep(0.3)`)).catch(() => undefined);
    const warnings: string[] = [];
    const quiet = createLog("silent");
    const log: Log = { ...quiet, warn: (_: unknown, message?: string) => void warnings.push(message ?? "") };
    const late = rigOf({ log });
    expect(await late.write([generation("a")])).toMatchObject({ kind: "failed", reason: "database" });
    expect(late.exporter.ready()).toBe(false);
    await hogs.end();
    await expect.poll(() => late.exporter.ready(), { timeout: 10_000 }).toBe(true);
    expect(await late.write([generation("a")])).toMatchObject({ kind: "committed", stored: 1 });
    await checkWriter({ url: cluster.url, schema: "public", connections: 16, timeoutMillis: 2_000, log });
    expect(warnings.at(-1)).toContain("hardly any connections left");
    await late.stop();
  });

  const mayMount = process.getuid?.() === 0 && process.platform === "linux" && tmpfsWorks();

  it.skipIf(!mayMount)(
    "DBF-07 a full WAL disk is an outage: nothing is set aside, nothing acknowledged is lost (skipped where a tmpfs cannot be mounted)",
    { timeout: 120_000 },
    async () => {
      const wal = join(dirname(cluster.logFile), "postgres", "pg_wal");
      await cluster.stop();
      const unmount = moveToTmpfs(wal, 64);
      try {
        await cluster.start({ min_wal_size: "32MB", max_wal_size: "1GB", checkpoint_timeout: "1h", archive_mode: "off" });
        const prompt = "x".repeat(4_000).replaceAll("x", () => Math.random().toString(36).slice(2, 3));
        const ledger = sendForever(rig, prompt);
        const end = performance.now() + 60_000;
        while (ledger.refused.size === 0 && performance.now() < end) await sleep(50);
        expect(ledger.refused.size).toBeGreaterThan(0);
        expect(ledger.acknowledged.size).toBeGreaterThan(0);
        execFileSync("mount", ["-o", "remount,size=1g", wal]);
        if (cluster.pid() === 0 || !(await answers(cluster.url))) await cluster.start().catch(() => undefined);
        await recovers(ledger);
        await ledger.stop();
        await audit(ledger, prompt);
        expect(await rig.count("ingest_rejected")).toBe(0);
        await rig.stop();
        await cluster.stop();
      } finally {
        unmount();
      }
    },
  );
});

async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2 });
  const answer = await sql`SELECT 1`.then(
    () => true,
    () => false,
  );
  await sql.end({ timeout: 1 });
  return answer;
}

function tmpfsWorks(): boolean {
  try {
    execFileSync("sh", ["-c", 'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d" && rmdir "$d"'], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Puts a folder's content on a small disk of its own; gives the way back. */
function moveToTmpfs(folder: string, megabytes: number): () => void {
  const aside = `${folder}.aside`;
  const { uid, gid } = statSync(folder);
  renameSync(folder, aside);
  execFileSync("install", ["-d", "-o", String(uid), "-g", String(gid), "-m", "700", folder]);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,uid=${uid},gid=${gid},mode=700`, "tmpfs", folder]);
  cpSync(aside, folder, { recursive: true, preserveTimestamps: true });
  execFileSync("chown", ["-R", `${uid}:${gid}`, folder]);
  return () => execFileSync("umount", ["-l", folder]);
}
