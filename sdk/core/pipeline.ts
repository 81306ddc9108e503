import type { Resource } from "@opentelemetry/resources";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import { createContent } from "./content.ts";
import { resolveContent } from "./content-policy.ts";
import { type Current, current } from "./current.ts";
import { createDelivery, type Delivery, type FlushResult, joined } from "./delivery.ts";
import { sendWithLastBreath } from "./last-breath.ts";
import { createPendingLane } from "./pending-lane.ts";
import type { Problems } from "./problems.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { createResource } from "./resource.ts";
import { SCOPE, USER_AGENT } from "./scope.ts";
import { createSender, type Sender } from "./sender.ts";
import type { Settings, Target } from "./settings.ts";
import { createSpanProcessor } from "./span-processor.ts";

/** The way of a record from the recorder to its destinations, put together. */
export interface Pipeline {
  readonly current: Current;
  readonly resource: Resource;
  /** Takes the spans of instrumentations, until the shutdown. */
  readonly processor: SpanProcessor;
  readonly deliveries: readonly Delivery[];
  /** Sends what waits before it returns, for the end of the process. */
  sendNow(): void;
  shutdown(timeoutMillis: number): Promise<FlushResult>;
}

/** One destination. */
interface Destination {
  readonly target: Target;
  readonly sender: Sender;
  readonly delivery: Delivery;
}

/** A collector that did not answer the last time is given a short chance only. */
const UNREACHABLE_MS = 300;

/** The first destination is the one that announcements are acknowledged by. */
export function createPipeline(settings: Settings, problems: Problems): Pipeline {
  const { limits, pending, pendingDelayMillis, pendingWaitMillis } = settings;
  const resource = createResource(settings);
  const ready = resource.asyncAttributesPending === true ? resource.waitForAsyncAttributes?.() : undefined;
  const targets = settings.target === undefined ? settings.forward : [settings.target, ...settings.forward];
  const destinations = targets.map((target, i): Destination => {
    const sender = createSender(target, i === 0 ? USER_AGENT : `${USER_AGENT}-forward-${i}`);
    return { target, sender, delivery: createDelivery({ sender, limits, problems, ready }) };
  });
  const deliveries = destinations.map(({ delivery }) => delivery);
  // A call that waits for its announcement is not to wait for others to keep it company.
  const delayMillis = pending === "await" ? 0 : pendingDelayMillis;
  const lane = createPendingLane({ deliveries, delayMillis, waitMillis: pendingWaitMillis });
  const policy = resolveContent(settings.content, limits.attributeBytes);
  let open = true;
  /** Not this one itself, which stays in use until all that follows the shutdown is done. */
  const heir = (): Recorder | undefined => {
    const next = current().recorder;
    return open || next === recorder || !next.enabled ? undefined : next;
  };
  const recorder: Recorder = createRecorder({ origin: { resource, instrumentationScope: SCOPE }, deliveries, lane, problems, heir });

  return {
    current: { recorder, settings, content: createContent({ policy, redact: settings.redact, problems }) },
    resource,
    processor: createSpanProcessor(() => (open ? deliveries : []), problems),
    deliveries,
    sendNow() {
      lane.release();
      for (const destination of destinations) problems.guard("sending at the end", () => sendRest(destination, settings), undefined);
    },
    async shutdown(timeoutMillis) {
      lane.release();
      const results = await Promise.all(deliveries.map((delivery) => delivery.shutdown(timeoutMillis)));
      open = false;
      return joined(results);
    },
  };
}

function sendRest({ target, sender, delivery }: Destination, { limits, exitTimeoutMillis }: Settings): void {
  const spans = delivery.takeAll();
  if (spans.length === 0) return;
  const timeoutMillis = delivery.reachable() ? exitTimeoutMillis : Math.min(UNREACHABLE_MS, exitTimeoutMillis);
  sendWithLastBreath({ spans, target, headers: sender.headers(), limits, timeoutMillis });
}
