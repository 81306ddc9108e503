import { median, rounded } from "../statistics.ts";
import { startWorker } from "../worker-link.ts";
import type { AppReport } from "./app.ts";
import { CONTESTANTS, type ContestantName } from "./contestants.ts";

/** The middle of each figure over the rounds; of the longest stall the least, because whatever else runs on the machine only ever adds to it. */
export type SdkResult = Readonly<Record<ContestantName, AppReport>>;

export interface SdkLoad {
  readonly rounds: number;
  readonly generations: number;
}

/** Generations a second: a busy application, at a few per cent of one core. */
const PER_SECOND = 300;

/** What recording a generation of 10 KB costs the application, this SDK beside the stock one and none, in turns. */
export async function measureSdk({ rounds, generations }: SdkLoad): Promise<SdkResult> {
  const sink = startWorker("sdk/sink.ts");
  try {
    const { port } = await sink.hear<{ port: number }>();
    const reports: Record<ContestantName, AppReport[]> = { sdk: [], "sdk-off": [], stock: [], none: [] };
    for (let round = 0; round < rounds; round++) {
      for (const name of CONTESTANTS) reports[name].push(await runApp(name, `http://127.0.0.1:${port}`, generations));
    }
    return Object.fromEntries(CONTESTANTS.map((name) => [name, middle(reports[name])])) as SdkResult;
  } finally {
    await sink.close();
  }
}

async function runApp(name: ContestantName, url: string, generations: number): Promise<AppReport> {
  const app = startWorker("sdk/app.ts", [name, url, String(PER_SECOND), String(generations)]);
  try {
    return await app.hear<AppReport>();
  } finally {
    await app.close();
  }
}

function middle(reports: readonly AppReport[]): AppReport {
  const of = (figure: (report: AppReport) => number): number => rounded(median(reports.map(figure)));
  return {
    generations: of(({ generations }) => generations),
    callerMicros: {
      p50: of(({ callerMicros }) => callerMicros.p50),
      p99: of(({ callerMicros }) => callerMicros.p99),
      max: of(({ callerMicros }) => callerMicros.max),
    },
    cpuMicros: of(({ cpuMicros }) => cpuMicros),
    longestStallMillis: rounded(Math.min(...reports.map(({ longestStallMillis }) => longestStallMillis))),
    heapMiB: of(({ heapMiB }) => heapMiB),
  };
}

/** CPU is what recording adds to an application that does not record. */
const cpuOf = (name: ContestantName, result: SdkResult): number => result[name].cpuMicros - result.none.cpuMicros;

/** The figures of the contract, and beside each what it is as a multiple of the stock SDK's in the same run: that holds on machines of any speed. */
export function sdkFigures(result: SdkResult) {
  const { sdk, stock } = result;
  return {
    sdkP50Micros: sdk.callerMicros.p50,
    sdkP99Micros: sdk.callerMicros.p99,
    sdkCpuMicros: rounded(cpuOf("sdk", result)),
    sdkStallMillis: sdk.longestStallMillis,
    sdkP50ToStock: rounded(sdk.callerMicros.p50 / stock.callerMicros.p50),
    sdkP99ToStock: rounded(sdk.callerMicros.p99 / stock.callerMicros.p99),
    sdkCpuToStock: rounded(cpuOf("sdk", result) / cpuOf("stock", result)),
    sdkStallToStock: rounded(sdk.longestStallMillis / stock.longestStallMillis),
  };
}

/** One line for each contestant; on those of this SDK each figure beside its ratio to the stock SDK's. */
export const sdkTable = (result: SdkResult): string[] =>
  CONTESTANTS.map((name) => {
    const { callerMicros, longestStallMillis, heapMiB } = result[name];
    const { stock } = result;
    const beside = (ours: number, theirs: number): string => (name.startsWith("sdk") ? ` (${rounded(ours / theirs)} x stock)` : "");
    const cpu = rounded(cpuOf(name, result));
    return (
      `sdk ${name.padEnd(14)}caller p50 ${callerMicros.p50} µs${beside(callerMicros.p50, stock.callerMicros.p50)}, ` +
      `p99 ${callerMicros.p99} µs${beside(callerMicros.p99, stock.callerMicros.p99)}, max ${callerMicros.max} µs; ` +
      `CPU ${cpu} µs per generation over none${beside(cpu, cpuOf("stock", result))}; ` +
      `longest stall ${longestStallMillis} ms${beside(longestStallMillis, stock.longestStallMillis)}; heap ${heapMiB} MiB`
    );
  });
