import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTraceMemory, type KnownTrace } from "../../../collector/refinement/trace-memory.ts";

const traceIdOf = (n: number): string => n.toString(16).padStart(32, "0");
const trace = (n: number, more: Partial<KnownTrace> = {}): KnownTrace => ({
  projectId: 1,
  traceId: traceIdOf(n),
  bits: 1,
  fromMillis: 1_700_000_000_000.25,
  toMillis: 1_700_000_000_001,
  sign: Number.NaN,
  ...more,
});

describe("remembered traces", () => {
  it("are given back as they were set last", () => {
    const memory = createTraceMemory(10);
    memory.set(trace(1));
    memory.set(trace(1, { bits: 5, fromMillis: -3.5 }));
    expect(memory.get(1, traceIdOf(1))).toEqual(trace(1, { bits: 5, fromMillis: -3.5 }));
    expect(memory.get(2, traceIdOf(1))).toBeUndefined();
  });

  it("are at least as many as asked for, and at most twice as many", () => {
    const memory = createTraceMemory(100);
    for (let i = 0; i < 1_000; i++) {
      memory.set(trace(i));
      for (let back = 0; back < Math.min(i, 100); back++) expect(memory.get(1, traceIdOf(i - back))).toBeDefined();
      expect(memory.where(() => true).length).toBeLessThanOrEqual(200);
    }
    expect(memory.get(1, traceIdOf(0))).toBeUndefined();
  });

  it("are found by their bits, each once with what was set last", () => {
    const memory = createTraceMemory(4);
    for (let i = 1; i <= 5; i++) memory.set(trace(i, { bits: i }));
    memory.set(trace(1, { bits: 8 }));
    const found = memory.where((bits) => bits >= 3).map(({ traceId, bits }) => [traceId, bits]);
    expect(found.sort()).toEqual([
      [traceIdOf(1), 8],
      [traceIdOf(3), 3],
      [traceIdOf(4), 4],
      [traceIdOf(5), 5],
    ]);
  });

  it("are none whose id has another form", () => {
    const memory = createTraceMemory(4);
    memory.set(trace(0, { traceId: "e".repeat(31) }));
    memory.set(trace(0, { traceId: `${"e".repeat(31)}G` }));
    expect(memory.where(() => true)).toEqual([]);
  });

  it.each([
    ["that count upwards", traceIdOf],
    ["of chance", (n: number) => createHash("md5").update(String(n)).digest("hex")],
  ])("had a call or not, also when they are no longer kept, by ids %s", (_, idOf) => {
    const memory = createTraceMemory(1_000);
    for (let i = 0; i < 30_000; i++) memory.set(trace(i, { traceId: idOf(i), bits: i % 2 === 0 ? 1 : 32 }));
    const had = (project: number, from: number, step: number) =>
      Array.from({ length: 10_000 }, (_, i) => memory.hadCall(project, idOf(from + i * step))).filter(Boolean).length;
    expect(memory.get(1, idOf(0))).toBeUndefined();
    expect(had(1, 0, 2)).toBe(10_000);
    expect(had(1, 1, 2)).toBeLessThan(50);
    expect(had(1, 100_000, 1)).toBeLessThan(50);
    expect(had(2, 0, 2)).toBeLessThan(50);
    expect(memory.hadCall(1, "no trace id")).toBe(false);
  });

  it("are the same as in a Map, whatever the ids", () => {
    const id = fc.oneof(fc.integer({ min: 0, max: 60 }).map(traceIdOf), fc.stringMatching(/^[0-9a-f]{32}$/));
    const set = fc.record({ projectId: fc.constantFrom(1, 2, 2 ** 40), traceId: id, bits: fc.integer({ min: 1, max: 2 ** 31 - 1 }) });
    fc.assert(
      fc.property(fc.array(set, { maxLength: 120 }), (sets) => {
        const memory = createTraceMemory(128);
        const map = new Map<string, KnownTrace>();
        for (const each of sets) {
          const known = { ...each, fromMillis: each.bits, toMillis: -each.bits, sign: each.bits / 2 };
          memory.set(known);
          map.set(`${each.projectId}/${each.traceId}`, known);
        }
        for (const known of map.values()) expect(memory.get(known.projectId, known.traceId)).toEqual(known);
        expect(memory.where(() => true)).toHaveLength(map.size);
      }),
    );
  });
});
