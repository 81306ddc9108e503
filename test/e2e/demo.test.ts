import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { runCli } from "../support/program.ts";

it("demo sends its history through OTLP, says where to look, and leaves nothing behind", { timeout: 90_000 }, async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("genspan-demo-"));
  const ports = ["--config", "otel-config.yaml", "--config", "test/support/free-ports.yaml"];
  const { code, stdout, stderr } = await runCli(["demo", "--rows", "300", "--no-live", ...ports], { GENSPAN_EMBEDDED_PORT: "0" });
  expect(stderr).toContain("Two weeks of demonstration data are in (8 requests).");
  expect(stdout).toMatch(/Web +http:\/\/127\.0\.0\.1:\d+/);
  expect(code).toBe(0);
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith("genspan-demo-"))).toEqual(before);
});
