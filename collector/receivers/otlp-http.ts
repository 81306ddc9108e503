import { ServerResponse } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import type { Authenticate } from "../base/authenticate.ts";
import { sharedBuffers } from "../base/buffer-pool.ts";
import { readCredentials } from "../base/credentials.ts";
import { REQUEST_DEADLINE_MS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { type Outcome, rejected, retryable } from "../base/outcome.ts";
import type { Encoding, IncomingRequest, Signal } from "../base/signal.ts";
import { encodeStatus } from "../otlp/encode.ts";
import { type ByteBudget, holdBytes } from "./byte-budget.ts";
import { createDeadlines, type Deadline, type Deadlines } from "./deadlines.ts";
import { exportResponse, short } from "./export-response.ts";
import { ENCODINGS, inflateBody } from "./inflate.ts";
import { outcomeStatus } from "./outcome-status.ts";
import { type BodyResult, readIncoming, readStream } from "./read-body.ts";
import type { ReadingTurns } from "./reading-turns.ts";
import { type RequestCounts, requestCounts } from "./request-counts.ts";

export interface OtlpHttpOptions {
  /** The next step; its outcome is the answer. */
  readonly consume: (request: IncomingRequest) => Promise<Outcome>;
  readonly authenticate: Authenticate;
  readonly paths: Readonly<Record<Signal, string>>;
  /** Bytes of a body, before and after inflating. */
  readonly maxRequestBodyBytes: number;
  /** For the bytes of all bodies that are being read, inflated or consumed; shared with other receivers. */
  readonly budget: ByteBudget;
  /** In which order bodies are read when many come; all at once where it is not given. */
  readonly turns?: ReadingTurns | undefined;
  readonly cors:
    | { readonly allowed_origins: readonly string[]; readonly allowed_headers: readonly string[]; readonly max_age: number }
    | undefined;
  readonly metrics: Metrics;
  readonly log: Log;
  /** To the answer, whatever happens: from the first byte, or from the last where sending took longer than that. */
  readonly deadlineMillis?: number;
}

/** How many times larger telemetry gets by inflating, for the order of reading only. */
const TYPICAL_INFLATION = 4;

type Env = { Bindings: Partial<HttpBindings> };
type Ctx = Context<Env>;

const MEDIA_TYPES: Readonly<Record<Encoding, string>> = { protobuf: "application/x-protobuf", json: "application/json" };

/** Where Langfuse's SDKs and integrations send OTLP, below the host they are given; they authenticate with Basic. */
const LANGFUSE_BASE = "/api/public/otel";

/** OTLP/HTTP (otlp-rules H1–H27): reads, authenticates, inflates, hands on, and answers in the request's encoding. */
export function createOtlpHttpReceiver(options: OtlpHttpOptions): Hono<Env> {
  const app = new Hono<Env>();
  if (options.cors !== undefined && options.cors.allowed_origins.length > 0) app.use("*", corsOf(options.cors));
  const deadlines = createDeadlines(options.deadlineMillis ?? REQUEST_DEADLINE_MS);
  for (const [signal, path] of Object.entries(options.paths) as [Signal, string][]) {
    const route: Route = { signal, step: options, deadlines, counts: requestCounts(options.metrics, "http", signal) };
    const served = [path, `${LANGFUSE_BASE}/v1/${signal}`];
    // Endpoints are typed by hand: one slash too many at the end costs no data.
    for (const each of new Set(served.flatMap((exact) => [exact, exact.endsWith("/") ? exact : `${exact}/`]))) {
      // One handler for all methods: Hono runs a single one without its chain.
      app.all(each, (context) => (context.req.method === "POST" ? answer(context, route) : methodNotAllowed(context)));
    }
  }
  app.notFound((context) => context.text(`no such path; OTLP/HTTP is served at ${Object.values(options.paths).join(", ")}\n`, 404));
  return app;
}

const methodNotAllowed = (context: Ctx): Response => context.text("method not allowed: OTLP requests are POSTed\n", 405, { Allow: "POST" });

/** From Node's own headers where there are some: those of the web standard are made anew for each request. */
function header({ env, req }: Ctx, name: string): string | undefined {
  const value = env?.incoming === undefined ? req.header(name) : env.incoming.headers[name];
  return typeof value === "string" ? value : undefined;
}

async function answer(context: Ctx, route: Route): Promise<Response> {
  const began = performance.now();
  const encoding = encodingOf(header(context, "content-type"));
  const response = encoding === undefined ? unsupportedType() : await answerEncoded(context, { ...route, encoding });
  route.counts.answered(response.status);
  route.counts.took((performance.now() - began) / 1000);
  return response;
}

/** What requests to one path have in common. */
interface Route {
  readonly signal: Signal;
  readonly step: OtlpHttpOptions;
  readonly deadlines: Deadlines;
  readonly counts: RequestCounts;
}

interface Exchange extends Route {
  readonly encoding: Encoding;
}

/**
 * An answer comes in time even if the work does not end: the sender must not be left to its own time-out, after which it drops the data. Whoever is
 * still sending after that time has more patience, and a slow line would never get its data through otherwise.
 */
async function answerEncoded(context: Ctx, exchange: Exchange): Promise<Response> {
  const { step } = exchange;
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const deadline = exchange.deadlines.start(() => resolve(retryable("deadline", "the request took too long; send it again")));
  outcomeOf(context, exchange, deadline).then(resolve, (error: unknown) => {
    step.log.error({ error: error instanceof Error ? error.name : "unknown" }, "a request failed inside the collector");
    resolve(retryable("internal", "the collector failed on this request; send it again"));
  });
  const outcome = await promise;
  deadline.stop();
  return isPlain(context, step) && outcome.kind === "accepted" ? send(context, outcome, exchange) : toResponse(outcome, exchange);
}

/** Whether nobody adds headers to the answer, and Node's own response is there to write it to. */
const isPlain = ({ env }: Ctx, { cors: allowed }: OtlpHttpOptions): boolean =>
  env?.outgoing instanceof ServerResponse && (allowed === undefined || allowed.allowed_origins.length === 0);

/** The answer of nearly every request, straight to the socket: a Response object of the web standard costs as much as all the rest of the receiver. */
function send({ env }: Ctx, outcome: Extract<Outcome, { kind: "accepted" }>, { signal, encoding }: Exchange): Response {
  const body = exportResponse(outcome, signal, encoding);
  const outgoing = (env.outgoing as ServerResponse).writeHead(200, {
    "Content-Type": MEDIA_TYPES[encoding],
    "Content-Length": body.length,
  });
  // An empty protobuf answer is all head: one write to the socket instead of a gathered one.
  if (body.length === 0) outgoing.end();
  else outgoing.end(body);
  return RESPONSE_ALREADY_SENT;
}

/** Everything up to the outcome. A body of an unauthenticated sender is never read. */
async function outcomeOf(context: Ctx, exchange: Exchange, deadline: Deadline): Promise<Outcome> {
  const { step } = exchange;
  const permit = await step.authenticate(
    readCredentials((name) => header(context, name)),
    "ingest",
  );
  if (permit.kind !== "granted") return permit;
  const declared = Number(header(context, "content-length") ?? 0);
  if (declared > step.maxRequestBodyBytes) return tooLarge(step);
  const compression = header(context, "content-encoding") ?? "";
  const turn = await step.turns?.enter(compression === "" ? declared : declared * TYPICAL_INFLATION);
  try {
    deadline.pause();
    const read = await readBody(context, step);
    deadline.resume();
    turn?.arrived();
    if ("failure" in read) return readFailure(read.failure, step);
    return await consumeBody(read.bytes, { ...exchange, compression, projectId: permit.projectId });
  } finally {
    turn?.leave();
  }
}

interface Delivery extends Exchange {
  readonly compression: string;
  readonly projectId: number;
}

async function consumeBody(bytes: Buffer, { signal, encoding, step, counts, compression, projectId }: Delivery): Promise<Outcome> {
  const held = holdBytes(step.budget, bytes.length);
  try {
    const receivedAtMs = Date.now();
    const limits = { maxBytes: step.maxRequestBodyBytes, makeRoom: held.growTo };
    const inflated = await inflateBody(bytes, compression, limits);
    if ("failure" in inflated) return inflateFailure(inflated.failure, step);
    const body = inflated.bytes;
    counts.wireBytes(bytes.length);
    counts.inflatedBytes(body.length);
    if (body !== bytes) sharedBuffers.give(bytes);
    return await step.consume({ signal, encoding, body, projectId, receivedAtMs });
  } finally {
    held.release();
  }
}

function readBody(context: Ctx, { maxRequestBodyBytes: maxBytes, budget }: OtlpHttpOptions): Promise<BodyResult> {
  const { incoming, outgoing } = context.env ?? {};
  const limits = { maxBytes, budget };
  if (incoming !== undefined && outgoing !== undefined && !("stream" in incoming && incoming.httpVersionMajor >= 2)) {
    return readIncoming(incoming as import("node:http").IncomingMessage, outgoing as import("node:http").ServerResponse, limits);
  }
  return readStream(context.req.raw.body, limits);
}

const tooLarge = (step: OtlpHttpOptions): Outcome =>
  rejected(
    "too_large",
    `the request is larger than ${step.maxRequestBodyBytes} bytes; send smaller batches, or raise max_request_body_size`,
  );

function readFailure(failure: "too_large" | "overload" | "aborted", step: OtlpHttpOptions): Outcome {
  if (failure === "too_large") return tooLarge(step);
  if (failure === "overload") return retryable("overload", "too many requests are being read; send the data again");
  return rejected("undecodable", "the body ended too early");
}

function inflateFailure(failure: "too_large" | "corrupt" | "unsupported" | "overload", step: OtlpHttpOptions): Outcome {
  if (failure === "too_large" || failure === "overload") return readFailure(failure, step);
  if (failure === "corrupt") return rejected("undecodable", "the body is not what its Content-Encoding says");
  return rejected("unsupported_type", `this Content-Encoding is not supported; use one of ${ENCODINGS.join(", ")}`);
}

/** The encoding that a Content-Type names; parameters such as charset do not matter. */
function encodingOf(contentType: string | undefined): Encoding | undefined {
  const media = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (media === "application/x-protobuf" || media === "application/protobuf") return "protobuf";
  return media === "application/json" ? "json" : undefined;
}

const plainText = (text: string): Response => new Response(text, { status: 415, headers: { "Content-Type": "text/plain; charset=UTF-8" } });

const unsupportedType = (): Response => plainText("unsupported Content-Type: send application/x-protobuf or application/json\n");

function toResponse(outcome: Outcome, { signal, encoding }: Exchange): Response {
  // H6, H7: like an unknown Content-Type, since who does not know how to read a body may not know how to read an answer.
  if (outcome.kind === "rejected" && outcome.reason === "unsupported_type") return plainText(`${outcome.message}\n`);
  const status = outcomeStatus(outcome);
  const headers = new Headers({ "Content-Type": MEDIA_TYPES[encoding] });
  if (status.retryAfterSeconds !== undefined) headers.set("Retry-After", String(status.retryAfterSeconds));
  if (status.http === 401) headers.set("WWW-Authenticate", 'Bearer realm="genspan"');
  const body = bodyOf(outcome, { signal, encoding, code: status.code });
  return new Response(new Uint8Array(body), { status: status.http, headers });
}

function bodyOf(outcome: Outcome, at: { readonly signal: Signal; readonly encoding: Encoding; readonly code: number }): Buffer {
  if (outcome.kind === "accepted" || outcome.kind === "partial") return exportResponse(outcome, at.signal, at.encoding);
  return encodeStatus(at.encoding, at.code, short(outcome.message));
}

function corsOf(settings: NonNullable<OtlpHttpOptions["cors"]>) {
  const patterns = settings.allowed_origins.map(originPattern);
  return cors({
    origin: (origin) => (patterns.some((pattern) => pattern.test(origin)) ? origin : null),
    allowMethods: ["POST"],
    allowHeaders: ["content-type", "content-encoding", "authorization", "x-service-key", ...settings.allowed_headers],
    maxAge: settings.max_age,
  });
}

/** An allowed origin, in which `*` stands for any text. */
const originPattern = (allowed: string): RegExp =>
  new RegExp(`^${allowed.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*")}$`, "i");
