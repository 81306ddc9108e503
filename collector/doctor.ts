import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { DoctorCheck } from "./cli/actions.ts";
import { EXIT } from "./cli/exit-codes.ts";
import { runSql } from "./query/run-sql.ts";

export interface DoctorInput {
  readonly endpoint: string;
  readonly key: string | undefined;
  /** Finds the reading login's URL; rejects with a sentence where there is no database. */
  readonly readUrl: () => Promise<string>;
  readonly schema: string;
}

const SEND_TIMEOUT_MS = 10_000;
const READ_TRIES = 10;
const PROJECT = 1;

/** Checks a running collector from outside: one span in by OTLP, the same span out by SQL. */
export async function* examine(input: DoctorInput): AsyncGenerator<DoctorCheck> {
  let readUrl: string;
  try {
    readUrl = await input.readUrl();
    yield { name: "database", ok: true, detail: "it answers, its schema is this version's, and the reading login works" };
  } catch (error) {
    yield { name: "database", ok: false, detail: sentence(error), exitCode: EXIT.failure };
    return;
  }
  const traceId = randomBytes(16).toString("hex");
  const sent = await send(input, traceId);
  yield sent;
  if (sent.ok) yield await readBack(readUrl, input.schema, traceId);
}

async function send({ endpoint, key }: DoctorInput, traceId: string): Promise<DoctorCheck> {
  const name = "ingest";
  const headers = { "content-type": "application/json", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
  const url = new URL("v1/traces", endpoint.endsWith("/") ? endpoint : `${endpoint}/`);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify(request(traceId)),
      signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
    });
    const detail = `${url.origin} answered ${response.status}`;
    if (response.ok) return { name, ok: true, detail: `${detail}: a span was acknowledged` };
    const denied = response.status === 401 || response.status === 403;
    return {
      name,
      ok: false,
      detail: denied ? `${detail}: give a key with scope ingest by --key` : detail,
      exitCode: denied ? EXIT.notAuthorised : EXIT.failure,
    };
  } catch {
    return {
      name,
      ok: false,
      detail: `${url.origin} does not answer: start the collector with "genspan serve", or name its address by --endpoint`,
      exitCode: EXIT.unreachable,
    };
  }
}

async function readBack(readUrl: string, schema: string, traceId: string): Promise<DoctorCheck> {
  const query = `SELECT model_name FROM generation_logs WHERE trace_id = '${traceId}'`;
  for (let attempt = 0; attempt < READ_TRIES; attempt++) {
    const { batches } = await runSql(query, { url: readUrl, schema, projectId: PROJECT, timeoutMillis: SEND_TIMEOUT_MS });
    for await (const rows of batches)
      if (rows.length > 0) return { name: "read back", ok: true, detail: `the span is a row of generation_logs (trace ${traceId})` };
    await sleep(100);
  }
  const detail =
    "the acknowledged span is not in this database: the collector writes to another one, or the key belongs to another project";
  return { name: "read back", ok: false, detail, exitCode: EXIT.failure };
}

/** One generation, marked as ours by its service name. */
function request(traceId: string) {
  const start = BigInt(Date.now()) * 1_000_000n;
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const span = {
    traceId,
    spanId: randomBytes(8).toString("hex"),
    name: "chat doctor",
    kind: 3,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 1_000_000n),
    attributes: [
      attribute("gen_ai.operation.name", "chat"),
      attribute("gen_ai.provider.name", "genspan"),
      attribute("gen_ai.request.model", "doctor"),
    ],
  };
  return {
    resourceSpans: [
      {
        resource: { attributes: [attribute("service.name", "genspan-doctor")] },
        scopeSpans: [{ scope: { name: "genspan.doctor" }, spans: [span] }],
      },
    ],
  };
}

const sentence = (error: unknown): string => (error instanceof Error ? error.message : "it cannot be used");
