import { createLog } from "../../../collector/base/log.ts";
import { createMetrics } from "../../../collector/base/metrics.ts";
import { accepted, type Outcome, rejected } from "../../../collector/base/outcome.ts";
import type { IncomingRequest } from "../../../collector/base/signal.ts";
import { createByteBudget } from "../../../collector/receivers/byte-budget.ts";
import { type HttpLimits, type Listening, listen } from "../../../collector/receivers/http-server.ts";
import { createOtlpHttpReceiver } from "../../../collector/receivers/otlp-http.ts";

export const WRONG_KEY = "wrong";

/** The OTLP/HTTP receiver on a real port, with nothing behind it. */
export interface SocketRig extends Listening {
  /** What was handed on. */
  readonly seen: IncomingRequest[];
  /** Bytes that requests in progress hold. */
  heldBytes(): number;
}

export interface SocketRigOptions {
  readonly limits?: Partial<HttpLimits>;
  readonly maxRequestBodyBytes?: number;
  readonly deadlineMillis?: number;
  /** What becomes of every request; accepted by default. */
  readonly outcome?: Outcome;
  /** What handing on waits for. */
  readonly before?: () => Promise<void>;
}

export async function createSocketRig(options: SocketRigOptions = {}): Promise<SocketRig> {
  const seen: IncomingRequest[] = [];
  const budget = createByteBudget(64 * 1024 * 1024);
  const app = createOtlpHttpReceiver({
    consume: async (request) => {
      await options.before?.();
      seen.push(request);
      return options.outcome ?? accepted();
    },
    authenticate: async ({ key }) =>
      key === WRONG_KEY ? rejected("unauthenticated", "a key is required") : { kind: "granted", projectId: 1 },
    paths: { traces: "/v1/traces", logs: "/v1/logs", metrics: "/v1/metrics" },
    maxRequestBodyBytes: options.maxRequestBodyBytes ?? 16 * 1024 * 1024,
    budget,
    cors: undefined,
    metrics: createMetrics(),
    log: createLog("silent"),
    ...(options.deadlineMillis === undefined ? {} : { deadlineMillis: options.deadlineMillis }),
  });
  const listening = await listen({
    fetch: app.fetch,
    host: "127.0.0.1",
    port: 0,
    purpose: "test",
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  return { ...listening, seen, heldBytes: () => budget.usedBytes };
}
