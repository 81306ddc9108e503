import { afterEach, describe, expect, it } from "vitest";
import { roundTrip } from "../../../collector/doctor/round-trip.ts";
import { type PrefixProxy, startPrefixProxy } from "../../support/prefix-proxy.ts";

describe("the doctor's span", () => {
  let proxy: PrefixProxy | undefined;
  afterEach(() => proxy?.[Symbol.asyncDispose]());

  it.each(["", "/"])("goes below the path of a collector behind a reverse proxy (%j at its end)", async (end) => {
    const passed: string[] = [];
    proxy = await startPrefixProxy("/telemetry", async (path) => {
      passed.push(path);
      return new Response("{}", { headers: { "content-type": "application/json" } });
    });
    const checks: object[] = [];
    const input = { endpoint: `${proxy.origin}/telemetry${end}`, key: undefined, schema: "public", readUrl: undefined };
    for await (const check of roundTrip(input)) checks.push(check);
    expect(checks).toMatchObject([{ name: "ingest", ok: true }]);
    expect(passed).toEqual(["/v1/traces"]);
  });
});
