import { type Comparison, type Contestant, compare, type Standings } from "./compare.ts";
import { type DecodeResult, measureDecode } from "./decode.ts";
import { DIALECT_KINDS } from "./dialect-payloads.ts";
import { measureGrowth } from "./growth.ts";
import { measureOneSpan } from "./one-span.ts";
import type { Measure, Options } from "./options.ts";
import type { LoadKind } from "./payloads.ts";
import { measureReads, readTable } from "./read.ts";
import { decodeTable, type Ratios, speedLine } from "./report.ts";
import { measureSdk, sdkFigures, sdkTable } from "./sdk/measure.ts";
import { measureSize } from "./size.ts";
import type { Stage } from "./stage.ts";
import { rounded } from "./statistics.ts";

/** How much is sent. Requests of 512 spans per round and contestant; a round of a full run takes two to four seconds. */
const SIZES = {
  quick: {
    rounds: 2,
    requests: { plain: 48, genai: 24, genai10: 8, mix: 32, pending: 16, openinference: 16, vercel: 16 },
    oneSpan: 4_000,
    growthStep: 8_000,
    decodeRounds: 24,
    sdk: { rounds: 1, generations: 900 },
    read: { spans: 100_000, rounds: 10 },
  },
  full: {
    rounds: 5,
    requests: { plain: 300, genai: 150, genai10: 50, mix: 200, pending: 90, openinference: 90, vercel: 90 },
    oneSpan: 40_000,
    growthStep: 250_000,
    decodeRounds: 300,
    sdk: { rounds: 3, generations: 6_000 },
    read: { spans: 2_000_000, rounds: 20 },
  },
};

/** Everything that came out of a run; filled as it goes on, so that a failure leaves what was measured before. */
export interface Results {
  readonly ratios: Ratios;
  readonly details: Record<string, unknown>;
}

type Say = (line: string) => void;

/** Runs on this process alone, before anything else uses the machine. */
export function runDecode({ quick, measures }: Options, results: Results, say: Say): void {
  if (!measures.has("decode")) return;
  const { decodeRounds } = SIZES[quick ? "quick" : "full"];
  const decoded: DecodeResult[] = (["plain", "genai", "genai10"] as const).map((kind) => measureDecode(kind, decodeRounds));
  results.details["decode"] = decoded;
  for (const line of decodeTable(decoded)) say(line);
}

/** Before the collector starts: what an application pays for recording is measured beside nothing else. */
export async function runSdk({ quick, measures }: Options, results: Results, say: Say): Promise<void> {
  if (!measures.has("sdk")) return;
  const measured = await measureSdk(SIZES[quick ? "quick" : "full"].sdk);
  results.details["sdk"] = measured;
  Object.assign(results.ratios, sdkFigures(measured));
  for (const line of sdkTable(measured)) say(line);
}

export async function runMeasures(stage: Stage, options: Options, results: Results, say: Say): Promise<void> {
  const { measures } = options;
  const sizes = SIZES[options.quick ? "quick" : "full"];
  for (const comparison of comparisonsOf(options)) {
    const standings = await compare(stage, comparison);
    results.details[comparison.kind] = standings;
    for (const [name, contestant] of Object.entries(standings)) say(speedLine(`${comparison.kind} ${name}`, contestant));
    addRatios(results.ratios, comparison.kind, standings);
  }
  if (measures.has("oneSpan")) {
    const result = await measureOneSpan(stage, { requests: sizes.oneSpan, rounds: sizes.rounds });
    results.details["oneSpan"] = result;
    results.ratios.oneSpan = result.requests.spansPerSecond / result.oneCommitEach.spansPerSecond;
    say(speedLine("one span", result.requests));
    say(speedLine("one commit each", result.oneCommitEach));
    say(`no receiver       ${result.commitsPerSecond} rows/s over one session, ${result.commitsPerSecondOverTwo} over two`);
  }
  if (measures.has("size")) {
    const result = await measureSize(stage, sizes.requests.mix);
    results.details["size"] = result;
    results.ratios.wal = result.walBytes / result.otlpBytes;
    results.ratios.disk = result.diskBytes / result.otlpBytes;
  }
  if (measures.has("growth")) {
    const result = await measureGrowth(stage, sizes.growthStep);
    results.details["growth"] = result;
    results.ratios.growth = result.lastToFirst;
    say(
      `growth            ${result.spansPerSecond.join(", ")} spans/s per ${result.spansPerStep}, emptied ${result.emptiedSpansPerSecond}; RSS ${result.residentMiB.join(", ")} MiB`,
    );
  }
  if (measures.has("read")) {
    const result = await measureReads(stage, sizes.read);
    results.details["read"] = result;
    results.ratios.readP95Millis = result.worstP95Millis;
    for (const line of readTable(result)) say(line);
  }
  if (stage.residentMiB.length > 0) {
    results.ratios.rssMiB = Math.max(...stage.residentMiB);
    results.details["residentMiB"] = stage.residentMiB.map((each) => rounded(each, 0));
  }
}

/** One comparison per payload, with every form of it that was asked for, so that they share baseline and rounds. */
function comparisonsOf({ quick, measures }: Options): Comparison[] {
  const { rounds, requests } = SIZES[quick ? "quick" : "full"];
  const gzip = (kind: LoadKind): boolean => measures.has("gzip") && (!quick || kind === "genai");
  const wanted = (kind: LoadKind): Comparison => {
    const forms: Comparison["forms"] = [
      ...(measures.has(kind as Measure) || (kind === "genai" && measures.has("obvious")) ? (["protobuf"] as const) : []),
      ...(gzip(kind) && (kind === "plain" || kind === "genai" || kind === "mix") ? (["gzip"] as const) : []),
      ...(kind === "genai" && measures.has("json") ? (["json"] as const) : []),
    ];
    return { kind, forms, obvious: kind === "genai" && measures.has("obvious"), requests: requests[kind], rounds };
  };
  return (["plain", "genai", "mix", "genai10", "pending", ...DIALECT_KINDS] as const).map(wanted).filter(({ forms }) => forms.length > 0);
}

function addRatios(ratios: Ratios, kind: LoadKind, standings: Standings): void {
  const to = (contestant: Contestant | undefined, base: Contestant | undefined): number | undefined =>
    contestant === undefined || base === undefined ? undefined : contestant.spansPerSecond / base.spansPerSecond;
  const { baseline, protobuf, gzip, json, obvious } = standings;
  const found: Ratios = {};
  const set = (name: keyof Ratios, value: number | undefined): void => {
    if (value !== undefined) found[name] = value;
  };
  if (kind !== "genai10") set(kind, to(protobuf, baseline));
  const zipped = to(gzip, baseline);
  if (zipped !== undefined) set("gzip", Math.min(zipped, ratios.gzip ?? zipped));
  set("json", to(json, baseline));
  set("obvious", to(protobuf, obvious));
  Object.assign(ratios, found);
}
