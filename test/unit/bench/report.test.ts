import { describe, expect, it } from "vitest";
import { MEASURES, parseOptions } from "../../bench/options.ts";
import { isReached, ratioTable, requirements } from "../../bench/report.ts";
import type { SendReport } from "../../bench/sender.ts";
import { checkCounts } from "../../bench/stage.ts";
import { median } from "../../bench/statistics.ts";

const lineOf = (text: string, lines: readonly string[]): string => lines.find((line) => line.startsWith(text)) ?? "";

describe("the table of figures", () => {
  it("says of every row whether it is reached, short or not measured", () => {
    const lines = ratioTable({ genai: 0.6, plain: 0.59, wal: 1.2 }, true);
    expect(lineOf("genai, protobuf", lines)).toMatch(/≥ 0\.6 +0\.60 +reached$/);
    expect(lineOf("plain, protobuf", lines)).toMatch(/≥ 0\.6 +0\.59 +SHORT$/);
    expect(lineOf("WAL bytes", lines)).toMatch(/≤ 1\.2 +1\.20 +reached$/);
    expect(lineOf("mix, protobuf", lines)).toMatch(/not measured$/);
  });

  it("shows the SDK's figures beside their multiple of the stock SDK, which excuses none that is short", () => {
    const lines = ratioTable({ sdkP50Micros: 55, sdkP50ToStock: 1.1, sdkP99Micros: 290 }, true);
    expect(lineOf("SDK, a generation", lines)).toMatch(/≤ 40 +55\.00 +SHORT +1\.1 x stock NodeSDK$/);
    expect(lineOf("SDK: µs in the caller, p99", lines)).toMatch(/≤ 300 +290 +reached$/);
  });

  it("allows more bytes on a server without lz4", () => {
    const disk = (hasLz4: boolean) => requirements(hasLz4).find(({ name }) => name === "disk")!;
    expect(isReached(disk(true), 1.3)).toBe(false);
    expect(isReached(disk(false), 1.3)).toBe(true);
    expect(isReached(disk(false), 1.5)).toBe(false);
  });
});

describe("the counts of a load", () => {
  const report: SendReport = {
    acknowledgedSpans: 512,
    acknowledgedGenerations: 128,
    failures: {},
    wallMillis: 1,
    wireBytes: 1,
    cpuMicros: 1,
    p50Millis: 1,
    p99Millis: 1,
  };

  it("pass when the tables hold what was acknowledged", () => {
    expect(() => checkCounts(report, { spans: 512, generations: 128 })).not.toThrow();
  });

  it.each([
    { spans: 511, generations: 128 },
    { spans: 513, generations: 128 },
    { spans: 512, generations: 127 },
  ])("fail the run when the tables hold $spans spans and $generations generations instead", (stored) => {
    expect(() => checkCounts(report, stored)).toThrow("acknowledged: 512 spans with 128 model calls");
  });

  it("fail the run when a request was refused or lost", () => {
    const refused = { ...report, failures: { "0": 1, "503": 2 } };
    expect(() => checkCounts(refused, { spans: 512, generations: 128 })).toThrow("1 × no answer, 2 × 503");
  });
});

describe("the options", () => {
  it("measure everything by default", () => {
    expect(parseOptions([])).toEqual({ quick: false, json: undefined, measures: new Set(MEASURES), server: "auto" });
  });

  it("take names, a file and a server", () => {
    expect(parseOptions(["--quick", "--only", "genai,size", "--json", "f.json", "--server", "embedded"])).toEqual({
      quick: true,
      json: "f.json",
      measures: new Set(["genai", "size"]),
      server: "embedded",
    });
  });

  it.each([["--only", "genia"], ["--server", "mysql://x"], ["--fast"]])("refuse %s %s and show the usage", (...args) => {
    expect(() => parseOptions(args)).toThrow(/usage: npm run bench/);
  });
});

describe("the median", () => {
  it("is the middle, or the mean of the two in the middle", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 100])).toBe(3.5);
    expect(median([])).toBeNaN();
  });
});
