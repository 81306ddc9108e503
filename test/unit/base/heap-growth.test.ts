import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const MIB = 1024 * 1024;
const MODULE = new URL("../../../collector/base/heap-growth.ts", import.meta.url);

/** What a program prints that runs `code` in a process of its own, with the limits or without. */
function measure(code: string, limited: boolean): number {
  const program = `
    import { getHeapSpaceStatistics } from "node:v8";
    import { limitHeapGrowth } from "${MODULE}";
    ${limited ? "limitHeapGrowth();" : ""}
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    ${code}`;
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }));
}

/** Size of the space for young objects after millions of them were made, of which many survive a collection. */
const YOUNG_BYTES = `
  const kept = [];
  for (let n = 0; n < 150; n++) {
    for (let i = 0; i < 50_000; i++) kept[(n * 50_000 + i) % 300_000] = { n, pair: [i] };
    await turn();
  }
  console.log(getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size);`;

/** The largest old generation while objects live for many turns and then die, of which some tens of megabytes are alive at any time. */
const OLD_BYTES = `
  const alive = Array.from({ length: 60 }, () => []);
  let most = 0;
  for (let n = 0; n < 1_500; n++) {
    alive[n % 60] = Array.from({ length: 8_000 }, (_, i) => ({ n, i, pair: [i, n] }));
    await turn();
    most = Math.max(most, getHeapSpaceStatistics().find((space) => space.space_name === "old_space").space_size);
  }
  console.log(most);`;

describe("the heap", () => {
  it("keeps the space for young objects small where V8 would let it grow", () => {
    const [limited, usual] = [measure(YOUNG_BYTES, true), measure(YOUNG_BYTES, false)];
    expect(limited).toBeLessThanOrEqual(32 * MIB);
    expect(usual).toBeGreaterThan(limited);
  });

  it("stays near what is alive where V8 would let the old generation grow", () => {
    const [limited, usual] = [measure(OLD_BYTES, true), measure(OLD_BYTES, false)];
    expect(limited).toBeLessThan(usual * 0.8);
  });
});
