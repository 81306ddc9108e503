import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import postgres, { type Sql } from "postgres";
import { findServiceAccount } from "../../collector/embedded/service-account.ts";
import { startCluster, systemBinaries, type TestCluster } from "../support/cluster.ts";
import { type Program, removeFolder, startProgram } from "../support/program.ts";
import { prepareBaseline, writeBaseline } from "./baseline.ts";
import { cpuOfTree, describeMachine, residentBytes } from "./machine.ts";
import { type Kind, SPANS_PER_REQUEST } from "./payloads.ts";
import type { SendOrder, SendReport } from "./sender.ts";

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    only: { type: "string" },
    server: { type: "string", default: "auto" },
  },
});

/** Requests of 512 spans per round, and rounds per figure: each side of a ratio is the median of its rounds. */
const SIZE = flags.quick ? { requests: 24, rounds: 2 } : { requests: 100, rounds: 5 };
const CLIENTS = 8;

/** Required ratios of CONTRACT section 9 that this version can show. */
const REQUIRED: Readonly<Record<string, { readonly text: string; readonly limit: number; readonly atMost?: boolean }>> = {
  genai: { text: "genai end to end : baseline", limit: 0.6 },
  plain: { text: "plain end to end : baseline", limit: 0.6 },
  mix: { text: "mix end to end : baseline", limit: 0.55 },
  gzip: { text: "genai gzip : baseline", limit: 0.5 },
  json: { text: "genai OTLP/JSON : baseline", limit: 0.4 },
  obvious: { text: "genai end to end : the obvious way", limit: 2 },
  oneSpan: { text: "1-span requests, 32 clients : one commit per row", limit: 5 },
  growth: { text: "last 250 k of 2 M rows : first 250 k", limit: 0.8 },
  wal: { text: "WAL bytes : OTLP bytes (mix)", limit: 1.2, atMost: true },
  disk: { text: "disk bytes : OTLP bytes (mix)", limit: 1.2, atMost: true },
  rssMib: { text: "collector memory under load, MiB", limit: 300, atMost: true },
};
const LATER = ["genai with pending records on", "SDK cost per generation", "reads with 2 M spans over 30 days"];

interface Bench {
  readonly cluster: TestCluster;
  readonly program: Program;
  readonly sql: Sql;
  readonly ratios: Record<string, number>;
  readonly details: Record<string, unknown>;
  maxRss: number;
  runs: number;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const wanted = (name: string): boolean => flags.only === undefined || flags.only.split(",").includes(name);

async function empty(bench: Bench): Promise<void> {
  await bench.sql`TRUNCATE spans, generation_logs, log_records`;
  await bench.sql`CHECKPOINT`;
}

/** Runs one load from a process of its own; every acknowledged span must then be in the table. */
async function send(
  bench: Bench,
  order: Omit<SendOrder, "runId" | "url"> & { readonly url?: string },
): Promise<SendReport & { readonly rate: number }> {
  const sender = fork(new URL("sender.ts", import.meta.url));
  const [before] = (await bench.sql`SELECT count(*)::int AS n FROM spans`) as unknown as [{ n: number }];
  sender.send({ url: bench.program.otlpUrl, ...order, runId: ++bench.runs } satisfies SendOrder);
  await once(sender, "message");
  const watch = setInterval(() => {
    bench.maxRss = Math.max(bench.maxRss, residentBytes(bench.program.process.pid ?? 0));
  }, 50);
  sender.send("go");
  const [report] = (await once(sender, "message")) as [SendReport];
  clearInterval(watch);
  const [after] = (await bench.sql`SELECT count(*)::int AS n FROM spans`) as unknown as [{ n: number }];
  if (after.n - before.n !== report.acknowledgedSpans || report.failures > 0) {
    throw new Error(
      `${report.acknowledgedSpans} spans were acknowledged, ${after.n - before.n} are stored, ${report.failures} requests failed`,
    );
  }
  return { ...report, rate: report.acknowledgedSpans / (report.wallMillis / 1000) };
}

/** End to end and baseline in turn, on the same tables. */
async function compare(
  bench: Bench,
  name: string,
  load: { readonly kind: Kind; readonly form: SendOrder["form"]; readonly clients?: number },
): Promise<void> {
  const { kind, form, clients = CLIENTS } = load;
  const order = { kind, form, clients, requests: SIZE.requests, spansPerRequest: SPANS_PER_REQUEST };
  await empty(bench);
  await send(bench, { ...order, form: "protobuf" });
  const batches = await prepareBaseline(bench.cluster.url.replace(/\/postgres$/, "/bench"));
  const ours: number[] = [];
  const theirs: number[] = [];
  const cpu = { collector: 0, server: 0, sender: 0, spans: 0, baselineServer: 0, baselineSpans: 0 };
  for (let round = 0; round < SIZE.rounds; round++) {
    await empty(bench);
    const start = { collector: cpuOfTree(bench.program.process.pid ?? 0), server: cpuOfTree(bench.cluster.pid()) };
    const report = await send(bench, order);
    ours.push(report.rate);
    cpu.collector += cpuOfTree(bench.program.process.pid ?? 0) - start.collector;
    cpu.server += cpuOfTree(bench.cluster.pid()) - start.server;
    cpu.sender += report.cpuMicros;
    cpu.spans += report.acknowledgedSpans;
    await empty(bench);
    const serverBefore = cpuOfTree(bench.cluster.pid());
    const baseline = await writeBaseline(databaseUrl(bench), batches);
    cpu.baselineServer += cpuOfTree(bench.cluster.pid()) - serverBefore;
    cpu.baselineSpans += baseline.spans;
    const [stored] = (await bench.sql`SELECT count(*)::int AS n FROM spans`) as unknown as [{ n: number }];
    if (stored.n !== baseline.spans) throw new Error(`the baseline stored ${stored.n} of ${baseline.spans} spans`);
    theirs.push(baseline.spans / (baseline.wallMillis / 1000));
  }
  bench.ratios[name] = median(ours) / median(theirs);
  const per = (micros: number, spans: number): number => Math.round((micros / spans) * 10) / 10;
  bench.details[name] = {
    spansPerSecond: Math.round(median(ours)),
    baselinePerSecond: Math.round(median(theirs)),
    rounds: ours.map((rate, i) => Number((rate / (theirs[i] ?? 1)).toFixed(2))),
    microsPerSpan: {
      sender: per(cpu.sender, cpu.spans),
      collector: per(cpu.collector, cpu.spans),
      server: per(cpu.server, cpu.spans),
      baselineServer: per(cpu.baselineServer, cpu.baselineSpans),
    },
  };
}

const databaseUrl = (bench: Bench): string => bench.cluster.url.replace(/\/postgres$/, "/bench");

async function obvious(bench: Bench): Promise<void> {
  const order = {
    kind: "genai" as const,
    form: "protobuf" as const,
    clients: CLIENTS,
    requests: Math.ceil(SIZE.requests / 2),
    spansPerRequest: SPANS_PER_REQUEST,
  };
  const server: ChildProcess = fork(new URL("obvious.ts", import.meta.url), [databaseUrl(bench)]);
  const [port] = (await once(server, "message")) as [number];
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < SIZE.rounds; round++) {
    await empty(bench);
    ours.push((await send(bench, order)).rate);
    await empty(bench);
    theirs.push((await send(bench, { ...order, url: `http://127.0.0.1:${port}` })).rate);
  }
  server.kill();
  bench.ratios["obvious"] = median(ours) / median(theirs);
  bench.details["obvious"] = { ours: Math.round(median(ours)), obvious: Math.round(median(theirs)) };
}

/** One span a request from 32 clients, against one row a commit over the same two sessions. */
async function oneSpan(bench: Bench): Promise<void> {
  const requests = flags.quick ? 6_000 : 30_000;
  await empty(bench);
  const order = { kind: "plain" as const, form: "protobuf" as const, clients: 32, requests, spansPerRequest: 1 };
  const report = await send(bench, order);
  const rows = await prepareBaseline(databaseUrl(bench), 1);
  await empty(bench);
  const single = await writeBaseline(databaseUrl(bench), rows.slice(0, Math.min(rows.length, 4_000)), 1);
  const commits = single.spans / (single.wallMillis / 1000);
  bench.ratios["oneSpan"] = report.rate / commits;
  bench.details["oneSpan"] = {
    requestsPerSecond: Math.round(report.rate),
    commitsPerSecond: Math.round(commits),
    p50Millis: report.p50Millis,
    p99Millis: report.p99Millis,
  };
}

/** WAL and disk of a mixed load, after a checkpoint, per byte of OTLP. */
async function sizes(bench: Bench): Promise<void> {
  await empty(bench);
  const [{ lsn }] = (await bench.sql`SELECT pg_current_wal_lsn()::text AS lsn`) as unknown as [{ lsn: string }];
  const report = await send(bench, {
    kind: "mix",
    form: "protobuf",
    clients: CLIENTS,
    requests: SIZE.requests,
    spansPerRequest: SPANS_PER_REQUEST,
  });
  const [row] = (await bench.sql`
    SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), ${lsn}::pg_lsn)::float8 AS wal,
      (SELECT sum(pg_total_relation_size(relid)) FROM (SELECT relid FROM pg_partition_tree('spans') UNION SELECT relid FROM pg_partition_tree('generation_logs')) t)::float8 AS disk`) as unknown as [
    { wal: number; disk: number },
  ];
  bench.ratios["wal"] = row.wal / report.bytes;
  bench.ratios["disk"] = row.disk / report.bytes;
  bench.details["sizes"] = { otlpBytes: report.bytes, walBytes: row.wal, diskBytes: row.disk };
}

async function growth(bench: Bench): Promise<void> {
  await empty(bench);
  const step = 250_000;
  const steps = flags.quick ? 0 : 8;
  const rates: number[] = [];
  for (let i = 0; i < steps; i++) {
    const requests = Math.ceil(step / SPANS_PER_REQUEST);
    rates.push((await send(bench, { kind: "mix", form: "protobuf", clients: CLIENTS, requests, spansPerRequest: SPANS_PER_REQUEST })).rate);
  }
  if (rates.length === 0) return;
  bench.ratios["growth"] = rates.at(-1)! / rates[0]!;
  bench.details["growth"] = rates.map(Math.round);
}

function print(bench: Bench, machine: Record<string, string>): void {
  console.log(
    Object.entries(machine)
      .map(([name, value]) => `${name.padEnd(10)} ${value}`)
      .join("\n"),
  );
  console.log(`\n${"figure".padEnd(52)} required   reached`);
  for (const [name, { text, limit, atMost }] of Object.entries(REQUIRED)) {
    const reached = bench.ratios[name];
    const shown = reached === undefined ? "not run" : reached.toFixed(2);
    const good = reached === undefined || (atMost === true ? reached <= limit : reached >= limit);
    console.log(`${text.padEnd(52)} ${`${atMost === true ? "≤" : "≥"} ${limit}`.padEnd(10)} ${shown}${good ? "" : "  ← short"}`);
  }
  for (const text of LATER) console.log(`${text.padEnd(52)} not yet`);
  console.log(`\n${JSON.stringify(bench.details, null, 1)}`);
}

async function main(): Promise<void> {
  const kind =
    flags.server === "embedded" || (flags.server === "auto" && systemBinaries(findServiceAccount() ?? undefined) === undefined)
      ? "embedded"
      : "server";
  const tuned = { shared_buffers: "1GB", max_wal_size: "8GB", ...(kind === "server" ? { wal_compression: "lz4" } : {}) };
  const cluster = await startCluster(kind, tuned);
  const admin = postgres(cluster.url, { max: 1, onnotice: () => {} });
  await admin`CREATE DATABASE bench`;
  await admin.end();
  const url = cluster.url.replace(/\/postgres$/, "/bench");
  const program = await startProgram({ env: { DATABASE_URL: url } });
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const bench: Bench = { cluster, program, sql, ratios: {}, details: {}, maxRss: 0, runs: 0 };
  try {
    if (wanted("plain")) await compare(bench, "plain", { kind: "plain", form: "protobuf" });
    if (wanted("genai")) await compare(bench, "genai", { kind: "genai", form: "protobuf" });
    if (wanted("mix")) await compare(bench, "mix", { kind: "mix", form: "protobuf" });
    if (wanted("gzip")) await compare(bench, "gzip", { kind: "genai", form: "gzip" });
    if (wanted("json")) await compare(bench, "json", { kind: "genai", form: "json" });
    if (wanted("obvious")) await obvious(bench);
    if (wanted("oneSpan")) await oneSpan(bench);
    if (wanted("sizes")) await sizes(bench);
    if (wanted("growth")) await growth(bench);
    bench.ratios["rssMib"] = bench.maxRss / 2 ** 20;
    const machine = await describeMachine(sql);
    print(bench, machine);
    if (flags.json !== undefined)
      writeFileSync(flags.json, `${JSON.stringify({ ratios: bench.ratios, machine, details: bench.details }, null, 2)}\n`);
  } finally {
    await sql.end({ timeout: 1 });
    await program.end();
    removeFolder(program);
    await cluster.destroy();
  }
}

await main();
