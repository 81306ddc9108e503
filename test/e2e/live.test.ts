import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tracesOf } from "../support/otlp-json.ts";
import { type Program, removeFolder, runCli, startProgram } from "../support/program.ts";

/** Far below the time of grace after which connections are cut by force. */
const STOPS_WITHIN_MS = 9_000;

describe("a running collector that is watched", () => {
  let program: Program;
  beforeAll(async () => {
    program = await startProgram();
  });
  afterAll(() => removeFolder(program));
  const send = (name: string) =>
    fetch(`${program.otlpUrl}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(tracesOf({ id: name, attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": name } })),
    });

  it("tells a call to tail as soon as it is acknowledged", async () => {
    const tail = runCli(["tail", "--url", program.webUrl, "-o", "jsonl", "--limit", "1"]);
    // The stream begins at a moment of its own: calls go on until it has seen one.
    let seen = false;
    void tail.then(() => {
      seen = true;
    });
    for (let i = 0; !seen && i < 200; i++) {
      expect((await send(`m${i}`)).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { code, stdout } = await tail;
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { model_name: string }).model_name).toMatch(/^m\d+$/);
  });

  it("stops in good time though somebody is still watching", async () => {
    const response = await fetch(`${program.webUrl}/api/stream`);
    const reader = response.body!.getReader();
    await reader.read();
    const began = performance.now();
    expect(await program.end()).toBe(0);
    expect(performance.now() - began).toBeLessThan(STOPS_WITHIN_MS);
    await reader.cancel().catch(() => undefined);
  });
});
