import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tracesOf } from "../support/otlp-json.ts";
import { type Program, removeFolder, startProgram } from "../support/program.ts";

/** A collector hears of an erasure within two seconds, and takes away within half a minute what it stored before. */
const SETTLED_WITHIN_MS = 90_000;

describe("a running collector", { timeout: 180_000 }, () => {
  let program: Program;
  beforeAll(async () => {
    program = await startProgram();
  });
  afterAll(async () => {
    await program.end();
    removeFolder(program);
  });

  const body = JSON.stringify(
    tracesOf({ id: "call", attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "user.id": "u-erased" } }),
  );
  const send = () => fetch(`${program.otlpUrl}/v1/traces`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const callsOfUser = async (): Promise<number> => {
    const response = await fetch(`${program.webUrl}/api/generations?user=u-erased`);
    return ((await response.json()) as { data: unknown[] }).data.length;
  };

  it("PRV-01 does not keep a late retry of what was erased: it acknowledges it, and it is not there", async () => {
    expect((await send()).status).toBe(200);
    expect(await callsOfUser()).toBe(1);
    const erased = await fetch(`${program.webUrl}/api/erase`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ kind: "user", value: "u-erased" }),
    });
    expect(await erased.json()).toMatchObject({ traces: 1, deleted: { spans: 1, generation_logs: 1 } });
    // The first retries may come before the collector has heard of it: what they store is taken away again.
    await expect
      .poll(
        async () => {
          expect((await send()).status).toBe(200);
          return callsOfUser();
        },
        { timeout: SETTLED_WITHIN_MS, interval: 500 },
      )
      .toBe(0);
    expect((await send()).status).toBe(200);
    expect(await callsOfUser()).toBe(0);
  });
});
