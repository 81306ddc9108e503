import { randomBytes } from "node:crypto";

/** A model call as it is sent, by default a good one of just now. */
export interface SentGeneration {
  readonly traceId: string;
  readonly service: string;
  readonly body: object;
}

export interface GenerationInput {
  readonly name?: string;
  readonly model?: string;
  readonly service?: string;
  readonly failed?: boolean;
}

const STATUS_ERROR = 2;

const keyValues = (attributes: Readonly<Record<string, string>>): object[] =>
  Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }));

export function generation({ name = "chat m1", model = "m1", service = "shop", failed = false }: GenerationInput = {}): SentGeneration {
  const traceId = randomBytes(16).toString("hex");
  const now = BigInt(Date.now()) * 1_000_000n;
  const attributes = keyValues({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model });
  const body = {
    traceId,
    spanId: randomBytes(8).toString("hex"),
    name,
    kind: 3,
    startTimeUnixNano: String(now - 1_000_000n),
    endTimeUnixNano: String(now),
    attributes,
    status: failed ? { code: STATUS_ERROR, message: "no" } : {},
  };
  return { traceId, service, body };
}

/** Sends over OTLP/HTTP and waits until it is stored; throws unless all of it was. */
export async function sendSpans(otlpUrl: string, spans: readonly SentGeneration[]): Promise<void> {
  const resourceSpans = spans.map(({ service, body }) => ({
    resource: { attributes: keyValues({ "service.name": service }) },
    scopeSpans: [{ spans: [body] }],
  }));
  const response = await fetch(`${otlpUrl}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceSpans }),
  });
  const answer = await response.text();
  if (response.status !== 200 || answer !== "{}") throw new Error(`the collector answered ${response.status} ${answer}`);
}
