import { context, logs, ProxyTracerProvider, propagation, trace } from "@opentelemetry/api";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import { createIdle, current, install, recorder } from "./current.ts";
import type { Delivery, FlushResult } from "./delivery.ts";
import { installExitHooks } from "./exit-hooks.ts";
import { createNodeSdk, type NodeSdkParts } from "./node-sdk.ts";
import type { TracingOptions } from "./options.ts";
import { createPipeline, type Pipeline } from "./pipeline.ts";
import { createProblems, nameOf, type Problems } from "./problems.ts";
import { resolveOptions, type Settings } from "./settings.ts";
import { createSpanProcessor } from "./span-processor.ts";
import { createWaiters, MAX_TIMER_MS } from "./waiting.ts";

/** Figures of the SDK since its start. */
export interface TracingStats {
  /** Records that wait to be sent, those under way included. */
  readonly queued: number;
  /** What they take, in bytes. */
  readonly queuedBytes: number;
  /** Records that the collector has stored. */
  readonly exported: number;
  /** Records that were given up: refused by the collector, or too old when the queue was full. */
  readonly dropped: number;
  /** Records that lost their content, and nothing else, because the queue was full. */
  readonly contentDropped: number;
  /** Records that had to be sent again, after the official exporter had tried by itself: its own retries, within ten seconds, are not told. */
  readonly retried: number;
  /** What went wrong last. */
  readonly lastError?: string;
}

/** How long a flush or a shutdown may take. */
export interface FlushOptions {
  /** Default 10,000. */
  readonly timeoutMillis?: number;
}

/** A running SDK. No method throws or rejects. */
export interface Tracing extends AsyncDisposable {
  /** Sends what is queued now. In a serverless function: await it after each request. */
  flush(options?: FlushOptions): Promise<FlushResult>;
  /** Sends what is queued and stops; `startTracing()` may then be called anew. */
  shutdown(options?: FlushOptions): Promise<FlushResult>;
  stats(): TracingStats;
}

const FLUSH_MS = 10_000;
const NOTHING_QUEUED: FlushResult = { complete: true, remaining: 0 };

let running: Tracing | undefined;
let runningDeliveries: readonly Delivery[] = [];
/** Of the tracing that is being shut down. */
let stoppingProblems: Problems | undefined;

/**
 * A span processor for an OpenTelemetry set-up of the application's own: its sampled spans then go to the collector as well, over this SDK's queue. Also takes spans of
 * OpenTelemetry's 1.x packages. Before `startTracing()` it takes nothing.
 *
 * ```ts
 * new NodeSDK({ spanProcessors: [new BatchSpanProcessor({ exporter }), spanProcessor()] }).start();
 * startTracing();
 * ```
 */
export const spanProcessor = (): SpanProcessor => createSpanProcessor(() => runningDeliveries, recorder().problems);

/**
 * Starts recording: one call at the start of the program, before the first generation. A second call returns the running SDK. Never throws: an option or a destination
 * that makes no sense counts as not given and is told; with no destination left, or where OTEL_SDK_DISABLED is set, the result works and records nothing.
 *
 * Where no OpenTelemetry set-up owns the process yet, a NodeSDK is started with this SDK's exporter, so that other spans go the same way; beside an existing one this SDK
 * keeps to its own exporter and shares only the active context: its records have the application's spans as parents.
 */
export function startTracing(given: TracingOptions = {}): Tracing {
  if (running !== undefined) {
    stoppingProblems?.report("configuration", "startTracing() during a shutdown starts nothing: the shutdown has to be awaited first");
    return running;
  }
  const settings = resolveOptions(given);
  const problems = createProblems(settings.onProblem);
  const isNowhere = settings.target === undefined && settings.forward.length === 0;
  try {
    running = settings.enabled && !isNowhere ? start(settings, problems) : startIdle(settings, problems);
    // Told last: only now OpenTelemetry's diagnostic logger may be there.
    if (settings.enabled) tellFaults(settings.faults, isNowhere, problems);
  } catch (error) {
    problems.report("configuration", `nothing is recorded: the start failed (${nameOf(error)})`);
    running = startIdle(settings, problems);
  }
  return running;
}

/** All in one sentence: of several warnings in one second only the first would be told. */
function tellFaults(faults: readonly string[], isNowhere: boolean, problems: Problems): void {
  if (faults.length > 0) problems.report("configuration", `${isNowhere ? "nothing is recorded: " : ""}${faults.join("; ")}`, faults.length);
}

function start(settings: Settings, problems: Problems): Tracing {
  const pipeline = createPipeline(settings, problems);
  const { recorder } = pipeline.current;
  const releaseProcess = takeProcess(settings, pipeline);
  const unhook = settings.exitHooks ? hookExit(pipeline, settings) : () => {};
  install(pipeline.current);
  runningDeliveries = pipeline.deliveries;

  async function stop(given: FlushOptions | undefined): Promise<FlushResult> {
    stoppingProblems = problems;
    const timeoutMillis = timeoutOf(given, problems);
    const untilMillis = performance.now() + timeoutMillis;
    const result = await pipeline.shutdown(timeoutMillis);
    unhook();
    if (current() === pipeline.current) install(undefined);
    runningDeliveries = [];
    await releaseProcess(Math.max(0, untilMillis - performance.now()));
    stoppingProblems = undefined;
    running = undefined;
    return result;
  }

  let stopping: Promise<FlushResult> | undefined;
  const shutdown = (given?: FlushOptions): Promise<FlushResult> => {
    stopping ??= stop(given);
    return stopping;
  };
  return {
    flush: (given) => recorder.flush(timeoutOf(given, problems)),
    shutdown,
    stats: () => joinStats(pipeline.deliveries, problems),
    async [Symbol.asyncDispose]() {
      await shutdown();
    },
  };
}

function timeoutOf(given: FlushOptions | undefined, problems: Problems): number {
  const timeoutMillis = problems.guard("reading a time-out", () => given?.timeoutMillis, undefined);
  return typeof timeoutMillis === "number" && timeoutMillis >= 0 ? Math.min(timeoutMillis, MAX_TIMER_MS) : FLUSH_MS;
}

function hookExit({ current: { recorder }, sendNow }: Pipeline, { exitTimeoutMillis }: Settings): () => void {
  const hasWork = (): boolean => recorder.hasWork();
  async function flush(): Promise<boolean> {
    const untilMillis = performance.now() + exitTimeoutMillis;
    const { complete } = await recorder.flush(exitTimeoutMillis);
    if (!complete || !hasWork()) return complete;
    // An application that is still at work has ended more calls meanwhile: once again, and no more than once.
    return (await recorder.flush(Math.max(0, untilMillis - performance.now()))).complete;
  }
  return installExitHooks({ hasWork, flush, flushNow: sendNow });
}

/** Undoes a set-up; never rejects, and takes no longer than it is given. */
type Release = (timeoutMillis: number) => Promise<void>;

/** Sets OpenTelemetry up where nobody has; returns what undoes that. */
function takeProcess(settings: Settings, { resource, processor, current: { recorder } }: Pipeline): Release {
  const { problems } = recorder;
  if (hasTracerProvider()) {
    if (settings.instrumentations.length > 0) {
      problems.report("configuration", "another OpenTelemetry set-up owns the process: instrumentations are left to it");
    }
    return async () => {};
  }
  try {
    return startNodeSdk({ settings, resource, processor }, problems);
  } catch (error) {
    problems.report(
      "configuration",
      `OpenTelemetry does not start with these instrumentations or processors and goes without (${nameOf(error)})`,
    );
    return startNodeSdk({ settings: { ...settings, instrumentations: [], spanProcessors: [] }, resource, processor }, problems);
  }
}

function startNodeSdk(parts: NodeSdkParts, problems: Problems): Release {
  const nodeSdk = createNodeSdk(parts);
  nodeSdk.start();
  return async (timeoutMillis) => {
    let isStopped = false;
    const waiters = createWaiters();
    // A processor of the application's may throw, reject or never answer: none of it keeps the SDK from being started anew.
    void (async () => nodeSdk.shutdown())()
      .catch((error) => problems.failed("stopping OpenTelemetry", error))
      .then(() => {
        isStopped = true;
        waiters.wake();
      });
    await waiters.until(() => isStopped, timeoutMillis);
    for (const api of [trace, context, propagation, logs]) api.disable();
  };
}

/** Whether some OpenTelemetry set-up has registered itself. */
function hasTracerProvider(): boolean {
  const provider = trace.getTracerProvider();
  const delegate = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  return delegate !== new ProxyTracerProvider().getDelegate();
}

function joinStats(deliveries: readonly Delivery[], problems: Problems): TracingStats {
  const each = deliveries.map((delivery) => delivery.stats());
  const sum = (figure: "queued" | "queuedBytes" | "exported" | "dropped" | "contentDropped" | "retried"): number =>
    each.reduce((total, stats) => total + stats[figure], 0);
  const lastError = problems.last();
  return {
    queued: sum("queued"),
    queuedBytes: sum("queuedBytes"),
    exported: sum("exported"),
    dropped: sum("dropped"),
    contentDropped: sum("contentDropped"),
    retried: sum("retried"),
    ...(lastError === undefined ? {} : { lastError }),
  };
}

function startIdle(settings: Settings, problems: Problems): Tracing {
  const idle = createIdle(settings);
  install(idle);
  const stop = async (): Promise<FlushResult> => {
    if (current() === idle) install(undefined);
    running = undefined;
    return NOTHING_QUEUED;
  };
  return {
    flush: async () => NOTHING_QUEUED,
    shutdown: stop,
    stats: () => joinStats([], problems),
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
