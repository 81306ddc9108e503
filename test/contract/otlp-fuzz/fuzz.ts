import {
  type Comparison,
  compareJsonWithOracle,
  compareWithOracle,
  LOOSELY_JUDGED,
  type Verdict,
} from "../../support/otlp-oracle-compare.ts";
import { recordingsOf } from "../../support/recordings.ts";
import { encodeObject, generatedObjects } from "./generated.ts";
import { jsonOfObject, mutateJson } from "./mutate-json.ts";
import { mutateProtobuf } from "./mutate-protobuf.ts";
import { createRandom, oneOf, type Random } from "./random.ts";

type Signal = "traces" | "logs";

export interface FuzzOptions {
  readonly encoding: "protobuf" | "json";
  readonly seed: number;
  readonly mutations: number;
}

/** What a run saw. */
export interface FuzzReport {
  readonly verdicts: ReadonlyMap<Verdict, number>;
  /** Spans and log records of which all columns were compared, and generation rows among them. */
  readonly items: number;
  readonly generations: number;
  readonly seconds: number;
  readonly slowestMillis: number;
}

/** Larger recordings say nothing that smaller ones do not, and cost time. */
const MAX_RECORDED_BYTES = 2_000;
/** Recorded folders whose traces and logs are protobuf. */
export const CLIENTS = [
  "otel-openai",
  "vercel-otel",
  "nodesdk-defaults",
  "openinference-openai",
  "traceloop",
  "logfire",
  "anthropic-native-content",
];

const RECORDED: Readonly<Record<Signal, readonly Buffer[]>> = { traces: recorded("/v1/traces"), logs: recorded("/v1/logs") };

function recorded(path: string): Buffer[] {
  return CLIENTS.flatMap((client) => recordingsOf(client))
    .filter((recording) => recording.path.endsWith(path) && recording.body.length < MAX_RECORDED_BYTES)
    .map(({ body }) => body);
}

/** A new set of generated requests after so many mutations. */
const ROUND = 2_000;
const GENERATED = 60;

/**
 * Changes requests and compares what we store of each with what protobufjs reads. The same seed gives the same mutations. Throws at the first
 * difference, and at anything our code throws that is no DecodeError; the message holds the body.
 */
export function fuzz({ encoding, seed, mutations }: FuzzOptions): FuzzReport {
  const random = createRandom(seed);
  const compare = encoding === "json" ? jsonRound : protobufRound;
  const verdicts = new Map<Verdict, number>();
  const total = { items: 0, generations: 0, slowestMillis: 0 };
  const began = performance.now();
  let next: (random: Random) => Mutation = () => ({ signal: "traces", body: Buffer.alloc(0) });
  for (let i = 0; i < mutations; i++) {
    if (i % ROUND === 0) next = compare.begin(seed + i);
    const { signal, body } = next(random);
    const at = performance.now();
    const comparison = judged(() => compare.judge(Buffer.from(body), signal), { mutation: i, signal, body });
    total.slowestMillis = Math.max(total.slowestMillis, performance.now() - at);
    verdicts.set(comparison.verdict, (verdicts.get(comparison.verdict) ?? 0) + 1);
    total.items += comparison.items;
    total.generations += comparison.generations;
  }
  return { ...total, verdicts, seconds: (performance.now() - began) / 1000 };
}

interface Mutation {
  readonly signal: Signal;
  readonly body: Buffer;
}

const anySignal = (random: Random): Signal => (random(4) === 0 ? "logs" : "traces");

const protobufRound = {
  begin(seed: number) {
    const made = generatedOf(seed, encodeObject);
    return (random: Random): Mutation => {
      const signal = anySignal(random);
      const from = (): Buffer => oneOf(random, random(3) === 0 ? RECORDED[signal] : made[signal]);
      return { signal, body: mutateProtobuf(from(), random, from()) };
    };
  },
  judge: (body: Buffer, signal: Signal): Comparison => compareWithOracle(body, { signal }),
};

const jsonRound = {
  begin(seed: number) {
    const made = generatedOf(seed, jsonOfObject);
    return (random: Random): Mutation => {
      const signal = anySignal(random);
      return { signal, body: mutateJson(oneOf(random, made[signal]), random) };
    };
  },
  judge: compareJsonWithOracle,
};

function generatedOf<T>(seed: number, encode: (object: object, signal: Signal) => T): Record<Signal, T[]> {
  const of = (signal: Signal): T[] => generatedObjects(signal, { seed, count: GENERATED }).map((object) => encode(object, signal));
  return { traces: of("traces"), logs: of("logs") };
}

function judged(judge: () => Comparison, at: { readonly mutation: number } & Mutation): Comparison {
  try {
    return judge();
  } catch (error) {
    throw new Error(`mutation ${at.mutation}, ${at.signal} ${at.body.toString("base64")}: ${String(error)}`, { cause: error });
  }
}

/** Bodies of which every row was compared, those that both refuse, and those that were only to be survived; the three make 1. */
export function sharesOf({ verdicts }: FuzzReport): { readonly compared: number; readonly refused: number; readonly survived: number } {
  const sum = (wanted: (verdict: Verdict) => boolean): number =>
    [...verdicts].filter(([verdict]) => wanted(verdict)).reduce((all, [, count]) => all + count, 0);
  const all = sum(() => true);
  const refused = sum((verdict) => verdict === "refused by both") / all;
  const survived = sum((verdict) => LOOSELY_JUDGED.has(verdict)) / all;
  return { compared: 1 - refused - survived, refused, survived };
}
