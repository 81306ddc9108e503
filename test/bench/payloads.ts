import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { createSpanWalker } from "../../collector/otlp/decode-protobuf.ts";
import { createSpanView } from "../../collector/otlp/span-view.ts";
import { any, keyValue, lengthField, span, tracesRequest, varintField } from "../support/wire-builder.ts";

/** The loads of CONTRACT section 9, by bytes of OTLP per span: plain 1 KB, genai 3.7 KB, genai10 12.7 KB, mix 70/25/5 of them. */
export const KINDS = ["plain", "genai", "genai10", "mix"] as const;
export type Kind = (typeof KINDS)[number];

export const SPANS_PER_REQUEST = 512;

/** A request whose ids can be replaced in place: every copy of it is a request of its own. */
export interface Template {
  readonly body: Buffer;
  readonly spans: number;
  /** Positions of the 16 bytes of each trace id and the 8 of each span id. */
  readonly traceIdAt: readonly number[];
  readonly spanIdAt: readonly number[];
}

const WORDS = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
  .split(/\s+/)
  .filter((word) => word !== "");

/** A small generator of its own, so that every run sends the same texts. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** About `bytes` of prose from the README's words, with the quotes and line ends that JSON has to escape. */
function prose(random: () => number, bytes: number): string {
  let text = "";
  while (text.length < bytes) text += `${WORDS[Math.floor(random() * WORDS.length)]}${random() < 0.05 ? '",\n"' : " "}`;
  return text.slice(0, bytes);
}

const text = (key: string, value: string): Buffer => keyValue(key, any.string(value));

function plainSpan(random: () => number, start: bigint): Buffer {
  const id = Math.floor(random() * 1e6);
  const attributes = [
    text("http.request.method", "GET"),
    text("url.full", `https://shop.example.com/api/v1/items/${id}?expand=prices&limit=50&cursor=${id}`),
    text("url.path", `/api/v1/items/${id}`),
    text("url.scheme", "https"),
    text("http.route", "/api/v1/items/:id"),
    text("server.address", "shop.example.com"),
    keyValue("server.port", any.int(443)),
    keyValue("http.response.status_code", any.int(200)),
    text("network.protocol.version", "1.1"),
    text("network.peer.address", "10.12.14.16"),
    text("client.address", "203.0.113.7"),
    text("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"),
    text("http.request.header.x-request-id", `req-${id}-${prose(random, 60)}`),
    keyValue("http.response.body.size", any.int(id)),
    text("enduser.note", prose(random, 180)),
  ];
  const event = lengthField(11, lengthField(2, "cache.miss"), lengthField(3, text("cache.key", `items:${id}`)));
  return span({ name: "GET /api/v1/items/:id", start, end: start + 12_345_678n, attributes, more: [varintField(6, 3), event] });
}

function genaiSpan(random: () => number, start: bigint, sizes: { readonly prompt: number; readonly response: number }): Buffer {
  const message = (role: string, content: string) => ({ role, parts: [{ type: "text", content }] });
  const prompt = [message("system", prose(random, sizes.prompt / 4)), message("user", prose(random, (sizes.prompt * 3) / 4 - 120))];
  const response = [{ ...message("assistant", prose(random, sizes.response - 90)), finish_reason: "stop" }];
  const attributes = [
    text("gen_ai.operation.name", "chat"),
    text("gen_ai.provider.name", "openai"),
    text("gen_ai.request.model", "gpt-4o-2024-08-06"),
    text("gen_ai.response.model", "gpt-4o-2024-08-06"),
    text("gen_ai.response.id", `chatcmpl-${Math.floor(random() * 1e12).toString(36)}`),
    keyValue("gen_ai.response.finish_reasons", any.array(any.string("stop"))),
    keyValue("gen_ai.request.temperature", any.double(0.7)),
    keyValue("gen_ai.request.top_p", any.double(1)),
    keyValue("gen_ai.request.max_tokens", any.int(2000)),
    keyValue("gen_ai.usage.input_tokens", any.int(Math.floor(random() * 4000))),
    keyValue("gen_ai.usage.output_tokens", any.int(Math.floor(random() * 900))),
    text("gen_ai.prompt.name", "definition"),
    text("gen_ai.prompt.version", "2.1"),
    text("server.address", "api.openai.com"),
    text("gen_ai.input.messages", JSON.stringify(prompt)),
    text("gen_ai.output.messages", JSON.stringify(response)),
  ];
  return span({ name: "chat gpt-4o", start, end: start + 1_234_567_890n, attributes, more: [varintField(6, 3)] });
}

function spanOf(kind: Kind, index: number, random: () => number, start: bigint): Buffer {
  const share = index % 20;
  const actual = kind !== "mix" ? kind : share < 14 ? "plain" : share < 19 ? "genai" : "genai10";
  if (actual === "plain") return plainSpan(random, start);
  return genaiSpan(random, start, actual === "genai" ? { prompt: 2048, response: 820 } : { prompt: 10_240, response: 1_536 });
}

/** A request of `spans` spans with its ids' positions; texts differ from span to span. */
export function template(kind: Kind, spans = SPANS_PER_REQUEST): Template {
  const random = createRandom(42);
  const start = BigInt(Date.now()) * 1_000_000n;
  const parts = Array.from({ length: spans }, (_, i) => spanOf(kind, i, random, start + BigInt(i) * 1000n));
  const body = tracesRequest(
    parts,
    Buffer.concat([lengthField(1, text("service.name", "bench")), lengthField(1, text("deployment.environment.name", "bench"))]),
  );
  const view = createSpanView();
  const walker = createSpanWalker(view);
  walker.open(body);
  const traceIdAt: number[] = [];
  const spanIdAt: number[] = [];
  while (walker.next() === "item") {
    traceIdAt.push(view.traceIdOffset);
    spanIdAt.push(view.spanIdOffset);
  }
  return { body, spans, traceIdAt, spanIdAt };
}

/** A copy with fresh ids: eight spans a trace. `serial` makes it unlike every other copy of the run. */
export function freshCopy(from: Template, serial: number, runId: number): Buffer {
  const body = Buffer.from(from.body);
  for (let i = 0; i < from.spans; i++) {
    const at = from.traceIdAt[i]!;
    // The first bytes are spread over the whole range, as random ids are.
    body.writeUInt32BE(Math.imul(serial * 64 + (i >> 3), 0x9e3779b1) >>> 0, at);
    body.writeUInt32BE(runId, at + 4);
    body.writeUInt32BE(serial + 1, at + 8);
    body.writeUInt32BE(i >> 3, at + 12);
    body.writeUInt32BE(serial + 1, from.spanIdAt[i]!);
    body.writeUInt32BE(i + 1, from.spanIdAt[i]! + 4);
  }
  return body;
}

export const compressed = (body: Buffer): Buffer => gzipSync(body);
