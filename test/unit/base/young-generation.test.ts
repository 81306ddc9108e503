import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

const MIB = 1024 * 1024;
const MODULE = new URL("../../../collector/base/young-generation.ts", import.meta.url);

/** Size of the space for young objects after a program has made millions of them, many of which survive a collection. */
function youngBytes(limited: boolean): number {
  const program = `
    import { getHeapSpaceStatistics } from "node:v8";
    import { limitYoungGeneration } from "${MODULE}";
    ${limited ? "limitYoungGeneration();" : ""}
    const kept = [];
    for (let turn = 0; turn < 150; turn++) {
      for (let i = 0; i < 50_000; i++) kept[(turn * 50_000 + i) % 300_000] = { turn, pair: [i] };
      await new Promise((resolve) => setImmediate(resolve));
    }
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size);`;
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }));
}

it("keeps the space for young objects small where V8 would let it grow", () => {
  const [limited, usual] = [youngBytes(true), youngBytes(false)];
  expect(limited).toBeLessThanOrEqual(32 * MIB);
  expect(usual).toBeGreaterThan(limited);
});
