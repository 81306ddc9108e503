import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const APP = fileURLToPath(new URL("../../support/sdk/memory-app.ts", import.meta.url));
const MIB = 1024 * 1024;

describe("memory while the collector is away", () => {
  it("SDK-01 stays within the bound of 32 MiB, whatever is generated; what had to go is counted", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", APP]);
    const { grown, queued, queuedBytes, contentDropped, dropped } = JSON.parse(stdout) as Record<string, number>;
    expect(queuedBytes).toBeLessThanOrEqual(32 * MIB);
    expect(grown).toBeLessThan(64 * MIB);
    expect(queued! + dropped!).toBe(20_000);
    expect(contentDropped).toBeGreaterThan(10_000);
  }, 180_000);
});
