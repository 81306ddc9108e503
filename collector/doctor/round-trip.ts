import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { addressBelow } from "../base/address.ts";
import type { DoctorCheck } from "../cli/actions.ts";
import { EXIT } from "../cli/exit-codes.ts";
import { runSql } from "../query/run-sql.ts";

export interface RoundTripInput {
  /** Base URL of OTLP/HTTP; undefined where the configuration serves none. */
  readonly endpoint: string | undefined;
  /** Below it, if not /v1/traces. */
  readonly tracesPath?: string | undefined;
  readonly key: string | undefined;
  readonly schema: string;
  /** The reading login; undefined when the database is out of reach, which was said before. */
  readonly readUrl: string | undefined;
}

const SEND_TIMEOUT_MS = 10_000;
const READ_TRIES = 10;
const READ_PAUSE_MS = 100;
const PROJECT = 1;

/** One span in by OTLP, the same span out by SQL. It stays, as a span that is no model call: figures of usage do not know it. */
export async function* roundTrip(input: RoundTripInput): AsyncGenerator<DoctorCheck> {
  const { endpoint } = input;
  if (endpoint === undefined) {
    const detail = "no span is sent, because the configuration serves no OTLP/HTTP: name another collector's address by --endpoint";
    return yield { name: "ingest", ok: true, detail };
  }
  const traceId = randomBytes(16).toString("hex");
  const sent = await send({ ...input, endpoint }, traceId);
  yield sent;
  if (sent.ok && input.readUrl !== undefined) yield await readBack(input.readUrl, input.schema, traceId);
}

async function send(
  { endpoint, key, tracesPath = "/v1/traces" }: RoundTripInput & { readonly endpoint: string },
  traceId: string,
): Promise<DoctorCheck> {
  const name = "ingest";
  if (!URL.canParse(endpoint))
    return { name, ok: false, detail: "--endpoint is no URL: give one like http://127.0.0.1:4318", exitCode: EXIT.usage };
  const url = addressBelow(endpoint, tracesPath);
  const headers = { "content-type": "application/json", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
  const request = { method: "POST", headers, body: JSON.stringify(exportRequest(traceId)), signal: AbortSignal.timeout(SEND_TIMEOUT_MS) };
  const response = await fetch(url, request).catch(() => undefined);
  if (response === undefined) {
    const detail = `${url.origin} does not answer: start the collector with "genspan serve", or name its address by --endpoint`;
    return { name, ok: false, detail, exitCode: EXIT.unreachable };
  }
  const answer = await response.text().catch(() => "");
  const said = `${url.origin} answered ${response.status}`;
  switch (response.status) {
    case 200:
      return answer.includes("rejectedSpans")
        ? { name, ok: false, detail: `${said} and refused the span: its answer says why: ${answer.slice(0, 200)}` }
        : { name, ok: true, detail: `${said}: a span was acknowledged` };
    case 401:
    case 403:
      return { name, ok: false, detail: `${said}: give a key with scope ingest by --key`, exitCode: EXIT.notAuthorised };
    case 429:
    case 503:
      return {
        name,
        ok: false,
        detail: `${said}: the database or memory is short; see the collector's log and metrics`,
        exitCode: EXIT.unreachable,
      };
    default:
      return { name, ok: false, detail: `${said}: another program listens there; name the collector's address by --endpoint` };
  }
}

async function readBack(readUrl: string, schema: string, traceId: string): Promise<DoctorCheck> {
  const name = "read back";
  const query = `SELECT span_id FROM spans WHERE trace_id = '${traceId}'`;
  for (let attempt = 0; attempt < READ_TRIES; attempt++) {
    const { batches } = await runSql(query, { url: readUrl, schema, projectId: PROJECT, timeoutMillis: SEND_TIMEOUT_MS });
    for await (const rows of batches)
      if (rows.length > 0) return { name, ok: true, detail: `the span is a row of spans (trace ${traceId})` };
    await sleep(READ_PAUSE_MS);
  }
  const detail =
    "the acknowledged span is not in this database: name the collector's own by --database-url or --data-dir; a key of another project hides it too";
  return { name, ok: false, detail };
}

/** One span, marked as ours by its service name. */
function exportRequest(traceId: string): object {
  const start = BigInt(Date.now()) * 1_000_000n;
  const span = {
    traceId,
    spanId: randomBytes(8).toString("hex"),
    name: "genspan doctor",
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 1_000_000n),
  };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "genspan-doctor" } }] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "genspan.doctor" }, spans: [span] }] }] };
}
