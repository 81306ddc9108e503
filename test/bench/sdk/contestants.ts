import { SpanKind, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { startGeneration, startTracing } from "../../../sdk/index.ts";
import type { Work } from "./workload.ts";

/** The names of what is compared: this SDK with and without announcements, the stock NodeSDK, and no telemetry at all. */
export const CONTESTANTS = ["sdk", "sdk-off", "stock", "none"] as const;
export type ContestantName = (typeof CONTESTANTS)[number];

/** One way of recording: `begin` before the call, what it returns after it. */
export interface Recording {
  begin(work: Work): () => void;
  stop(): Promise<void>;
}

export function startContestant(name: ContestantName, url: string): Recording {
  if (name === "none") return { begin: () => () => {}, stop: async () => {} };
  return name === "stock" ? startStock(url) : startOwn(url, name === "sdk" ? "background" : "off");
}

const MODEL = "gpt-5-nano-2025-08-07";

function startOwn(url: string, pending: "background" | "off"): Recording {
  const tracing = startTracing({ endpoint: url, serviceName: "bench", pending });
  return {
    begin({ prompt, answer, number }) {
      const generation = startGeneration({
        model: MODEL,
        provider: "openai",
        prompt: { name: "riddle", version: "2.0", modules: ["base", "context", "examples"], text: prompt },
        params: { temperature: 0.7, maxTokens: 2_000, topP: 1, frequencyPenalty: 0, presencePenalty: 0 },
        conversationId: `conversation-${number}`,
      });
      return () =>
        generation.succeed({
          text: answer,
          finishReason: "stop",
          responseId: `chatcmpl-${number}`,
          responseModel: MODEL,
          usage: { input: 2_300, output: 290, reasoning: 64, cacheRead: 0 },
        });
    },
    async stop() {
      const { complete } = await tracing.shutdown({ timeoutMillis: 20_000 });
      if (!complete || tracing.stats().dropped > 0) throw new Error("the SDK did not deliver everything");
    },
  };
}

/** The same facts by hand, over OpenTelemetry's own SDK as it comes. */
function startStock(url: string): Recording {
  const sdk = new NodeSDK({
    serviceName: "bench",
    traceExporter: new OTLPTraceExporter({ url: `${url}/v1/traces` }),
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  const tracer = trace.getTracer("bench");
  return {
    begin({ prompt, answer, number }) {
      const span = tracer.startSpan(`chat ${MODEL}`, {
        kind: SpanKind.CLIENT,
        attributes: {
          "gen_ai.operation.name": "chat",
          "gen_ai.provider.name": "openai",
          "gen_ai.request.model": MODEL,
          "gen_ai.request.temperature": 0.7,
          "gen_ai.request.max_tokens": 2_000,
          "gen_ai.request.top_p": 1,
          "gen_ai.request.frequency_penalty": 0,
          "gen_ai.request.presence_penalty": 0,
          "gen_ai.prompt.name": "riddle",
          "gen_ai.prompt.version": "2.0",
          "gen_ai.conversation.id": `conversation-${number}`,
          "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [{ type: "text", content: prompt }] }]),
        },
      });
      return () => {
        span.setAttributes({
          "gen_ai.output.messages": JSON.stringify([
            { role: "assistant", parts: [{ type: "text", content: answer }], finish_reason: "stop" },
          ]),
          "gen_ai.response.finish_reasons": ["stop"],
          "gen_ai.response.id": `chatcmpl-${number}`,
          "gen_ai.response.model": MODEL,
          "gen_ai.usage.input_tokens": 2_300,
          "gen_ai.usage.output_tokens": 290,
          "gen_ai.usage.reasoning.output_tokens": 64,
        });
        span.end();
      };
    },
    stop: () => sdk.shutdown(),
  };
}
