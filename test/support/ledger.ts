import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "postgres";
import { any, keyValue, span, tracesRequest } from "./wire-builder.ts";

/** One span that was sent, and what became of it. */
interface Entry {
  readonly spanId: string;
  readonly hash: string;
  acknowledged: boolean;
}

export interface Ledger {
  readonly entries: Entry[];
  /** Requests that were answered with anything but 200, or not at all. */
  refusals: number;
}

export interface LedgerOptions {
  /** Asked before each try: a restarted collector may have another address. */
  readonly otlpUrl: () => string;
  readonly senders: number;
  readonly requestsPerSender: number;
  readonly spansPerRequest: number;
  /** Told of each acknowledged request. */
  readonly onAcknowledged?: () => void;
}

const GIVE_UP_MS = 60_000;
const TRY_TIMEOUT_MS = 10_000;

/** Sends spans from several senders at once; each request is sent again until it is acknowledged, as OTLP clients do. */
export async function runLedger(options: LedgerOptions): Promise<Ledger> {
  const ledger: Ledger = { entries: [], refusals: 0 };
  await Promise.all(Array.from({ length: options.senders }, () => runSender(options, ledger)));
  return ledger;
}

async function runSender(options: LedgerOptions, ledger: Ledger): Promise<void> {
  for (let i = 0; i < options.requestsPerSender; i++) {
    const { body, entries } = request(options.spansPerRequest);
    ledger.entries.push(...entries);
    if (!(await sendUntilAcknowledged(body, options, ledger))) continue;
    for (const entry of entries) entry.acknowledged = true;
    options.onAcknowledged?.();
  }
}

function request(count: number): { body: Buffer; entries: Entry[] } {
  const traceId = randomBytes(16);
  const now = BigInt(Date.now()) * 1_000_000n;
  const entries: Entry[] = [];
  const spans = Array.from({ length: count }, () => {
    const spanId = randomBytes(8);
    const payload = randomBytes(60).toString("base64");
    entries.push({ spanId: spanId.toString("hex"), hash: createHash("md5").update(payload).digest("hex"), acknowledged: false });
    const attributes = [
      keyValue("payload", any.string(payload)),
      keyValue("gen_ai.operation.name", any.string("chat")),
      keyValue("gen_ai.request.model", any.string("ledger")),
      keyValue("gen_ai.provider.name", any.string("test")),
    ];
    return span({ traceId, spanId, start: now, end: now + 1000n, attributes });
  });
  return { body: tracesRequest(spans), entries };
}

async function sendUntilAcknowledged(body: Buffer, options: LedgerOptions, ledger: Ledger): Promise<boolean> {
  const deadline = Date.now() + GIVE_UP_MS;
  while (Date.now() < deadline) {
    const status = await sendOnce(`${options.otlpUrl()}/v1/traces`, body);
    if (status === 200) return true;
    ledger.refusals++;
    await sleep(100 + Math.random() * 200);
  }
  return false;
}

async function sendOnce(url: string, body: Buffer): Promise<number> {
  try {
    const response = await fetch(url, {
      method: "POST",
      body: new Uint8Array(body),
      headers: { "content-type": "application/x-protobuf" },
      signal: AbortSignal.timeout(TRY_TIMEOUT_MS),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** What the tables say of the ledger; all zero when every promise was kept. */
export async function auditLedger(
  ledger: Ledger,
  sql: Sql,
): Promise<{ lost: number; changed: number; twice: number; withoutGeneration: number }> {
  const stored = await sql<{ span_id: string; hash: string; n: number; generations: number }[]>`
    SELECT s.span_id, min(md5(s.attributes->>'payload')) AS hash, count(*)::int AS n, count(g.span_id)::int AS generations
    FROM spans s LEFT JOIN generation_logs g USING (project_id, trace_id, span_id, start_time)
    WHERE s.attributes ? 'payload' GROUP BY s.span_id`;
  const bySpan = new Map(stored.map((row) => [row.span_id, row]));
  const audit = { lost: 0, changed: 0, twice: 0, withoutGeneration: 0 };
  for (const entry of ledger.entries) {
    const row = bySpan.get(entry.spanId);
    if (row === undefined) {
      if (entry.acknowledged) audit.lost++;
      continue;
    }
    if (row.hash !== entry.hash) audit.changed++;
    if (row.n !== 1) audit.twice++;
    if (row.generations !== 1) audit.withoutGeneration++;
  }
  return audit;
}
