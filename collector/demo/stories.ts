import { type DemoSpan, exportRequest, type Value } from "./otlp.ts";
import { createRandom, type Random } from "./random.ts";

/** A request ready to be sent: the OTLP/JSON body of one service's spans. */
export interface DemoRequest {
  readonly service: string;
  readonly body: object;
}

export interface HistoryOptions {
  /** About how many model calls. */
  readonly rows: number;
  readonly seed: number;
  /** The end of the story, in milliseconds since 1970. */
  readonly nowMillis: number;
}

const DAY_MS = 86_400_000;
const DAYS = 14;
const CALLS_PER_REQUEST = 50;
/** One provider was down for six hours, four days ago. */
const OUTAGE = { provider: "anthropic", fromDaysAgo: 4, hours: 6 };

const MODELS = [
  { provider: "openai", model: "gpt-4o-mini", perToken: 9 },
  { provider: "anthropic", model: "claude-sonnet-4-5", perToken: 16 },
  { provider: "gcp.gemini", model: "gemini-2.5-flash", perToken: 7 },
  // Nobody has a price for this one.
  { provider: "mistral_ai", model: "lab-experimental-7b", perToken: 22 },
] as const;

/** 2.1 made fewer mistakes than 2.0; 2.2 is as good and slower. */
const VERSIONS = [
  { version: "2.0", failing: 0.08, slowdown: 1 },
  { version: "2.1", failing: 0.02, slowdown: 1 },
  { version: "2.2", failing: 0.02, slowdown: 1.7 },
] as const;

/** What the three applications ask for, and what comes back. */
const APPLICATIONS = [
  {
    service: "quiz-service",
    prompt: "quiz_sentence",
    ask: "Schreibe einen Satz mit dem Verb",
    words: ["laufen", "verstehen", "sich erinnern", "abholen"],
    answer: "Gestern ist er durch den Park gelaufen.",
  },
  {
    service: "question-service",
    prompt: "logic_question",
    ask: "Write a logic question about",
    words: ["a river crossing", "three switches", "two liars"],
    answer: "Three people want to cross a river in a boat that carries two. How do they do it?",
  },
  {
    service: "definitie-app",
    prompt: "unified_definition_v2",
    ask: "Definieer het begrip",
    words: ["verdachte", "voorlopige hechtenis", "aangifte"],
    answer: "Persoon te wiens aanzien een redelijk vermoeden van schuld bestaat.",
  },
] as const;

const HOSTILE = ["<img src=x onerror=alert(1)>", "'; DROP TABLE spans; --", "\u202Egnp.exe", "=cmd|' /C calc'!A0", "a".repeat(3_000)];

const messages = (role: string, content: string, finish?: string): string =>
  JSON.stringify([{ role, parts: [{ type: "text", content }], ...(finish === undefined ? {} : { finish_reason: finish }) }]);

/** Everything that happened before `nowMillis`; the same options give the same requests. */
export function* history(options: HistoryOptions): Generator<DemoRequest> {
  const random = createRandom(options.seed);
  for (let sent = 0; sent < options.rows; sent += CALLS_PER_REQUEST) {
    const application = random.pick(APPLICATIONS);
    const spans: DemoSpan[] = [];
    for (let i = 0; i < Math.min(CALLS_PER_REQUEST, options.rows - sent); i++) {
      const startMillis = options.nowMillis - random.next() * DAYS * DAY_MS;
      spans.push(...modelCall(random, application, startMillis, options.nowMillis));
    }
    yield { service: application.service, body: exportRequest(application.service, spans) };
  }
  yield { service: "quiz-service", body: exportRequest("quiz-service", longTrace(random, options.nowMillis)) };
  yield {
    service: "definitie-app",
    body: exportRequest("definitie-app", [largeMessage(random, options.nowMillis), ...hostileCalls(random, options.nowMillis)]),
  };
}

/** One call of now, for the live generator. */
export function liveRequest(random: Random, nowMillis: number): DemoRequest {
  const application = random.pick(APPLICATIONS);
  return {
    service: application.service,
    body: exportRequest(application.service, modelCall(random, application, nowMillis - 3_000, nowMillis)),
  };
}

type Application = (typeof APPLICATIONS)[number];

/** A request of a user and the model call below it. */
function modelCall(random: Random, application: Application, startMillis: number, nowMillis: number): DemoSpan[] {
  const { provider, model, perToken } = random.pick(MODELS);
  const daysAgo = (nowMillis - startMillis) / DAY_MS;
  const { version, failing, slowdown } = VERSIONS[daysAgo > 9 ? 0 : daysAgo > 3 ? 1 : 2];
  const outage = provider === OUTAGE.provider && Math.abs(daysAgo - OUTAGE.fromDaysAgo) < OUTAGE.hours / 48;
  const failed = outage || random.next() < failing;
  const word = random.pick(application.words);
  const output = 20 + random.below(400);
  const duration = 200 + output * perToken * slowdown * (0.7 + random.next());
  const [traceId, root, call] = [random.hex(16), random.hex(8), random.hex(8)];
  const asked: Record<string, Value> = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": provider,
    "gen_ai.request.model": model,
    "gen_ai.request.temperature": 0.7,
    "gen_ai.request.max_tokens": 2000,
    "gen_ai.prompt.name": application.prompt,
    "gen_ai.prompt.version": version,
    "gen_ai.prompt.variable.word": word,
    "gen_ai.input.messages": messages("user", `${application.ask} “${word}”. Regel: kurz, richtig, freundlich.`),
    "genspan.entity.type": application.prompt,
    "genspan.entity.id": String(random.below(500)),
  };
  const answered: Record<string, Value> = failed
    ? { "error.type": outage ? "overloaded_error" : random.next() < 0.3 ? "timeout" : "rate_limit_error" }
    : {
        "gen_ai.response.id": `resp-${random.hex(8)}`,
        "gen_ai.response.model": model,
        "gen_ai.response.finish_reasons": [random.next() < 0.03 ? "length" : "stop"],
        "gen_ai.usage.input_tokens": 120 + random.below(900),
        "gen_ai.usage.output_tokens": output,
        "gen_ai.output.messages": messages("assistant", application.answer, "stop"),
      };
  const error = failed ? { error: outage ? "Overloaded" : "the provider refused the call" } : {};
  return [
    {
      traceId,
      spanId: root,
      name: `POST /${application.prompt}`,
      kind: 2,
      startMillis: startMillis - 20,
      endMillis: startMillis + duration + 10,
      attributes: { "http.request.method": "POST", "user.id": `user-${random.below(40)}` },
      ...error,
    },
    {
      traceId,
      spanId: call,
      parentSpanId: root,
      name: `chat ${model}`,
      kind: 3,
      startMillis,
      endMillis: startMillis + duration,
      attributes: { ...asked, ...answered },
      ...error,
    },
  ];
}

/** One trace of 2,000 spans, seven of them failed. */
function longTrace(random: Random, nowMillis: number): DemoSpan[] {
  const traceId = random.hex(16);
  const root = random.hex(8);
  const start = nowMillis - 2 * DAY_MS;
  const steps = Array.from({ length: 1_999 }, (_, i): DemoSpan => {
    const startMillis = start + i * 30;
    const error = i % 285 === 142 ? { error: "the step failed" } : {};
    return {
      traceId,
      spanId: random.hex(8),
      parentSpanId: root,
      name: `step ${i + 1}`,
      kind: 1,
      startMillis,
      endMillis: startMillis + 5 + random.below(60),
      attributes: { "app.step": i + 1 },
      ...error,
    };
  });
  return [
    { traceId, spanId: root, name: "rebuild all quizzes", kind: 1, startMillis: start, endMillis: start + 60_000, attributes: {} },
    ...steps,
  ];
}

const plainCall = (random: Random, startMillis: number, attributes: Record<string, Value>): DemoSpan => ({
  traceId: random.hex(16),
  spanId: random.hex(8),
  name: "chat gpt-4o-mini",
  kind: 3,
  startMillis,
  endMillis: startMillis + 900,
  attributes: { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini", ...attributes },
});

/** A prompt of one megabyte: nothing that shows it may freeze. */
const largeMessage = (random: Random, nowMillis: number): DemoSpan =>
  plainCall(random, nowMillis - DAY_MS, { "gen_ai.input.messages": messages("user", "Vat dit wetboek samen. ".repeat(45_000)) });

/** Texts that a page, a terminal or a spreadsheet must not obey. */
const hostileCalls = (random: Random, nowMillis: number): DemoSpan[] =>
  HOSTILE.map((text, i) =>
    plainCall(random, nowMillis - (i + 1) * 3_600_000, {
      "gen_ai.input.messages": messages("user", text),
      "gen_ai.output.messages": messages("assistant", text, "stop"),
      "user.id": text,
    }),
  );
