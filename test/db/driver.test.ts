import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, inject, it } from "vitest";

const PROGRAM = join(import.meta.dirname, "../support/driver-losses.ts");

async function lose(which: "corrected" | "published"): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, which, inject("postgresUrls").embedded], { stdio: ["ignore", "pipe", "pipe"] });
  const [[code], stdout, stderr] = await Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

it("DBF-02 a connection lost in mid-transaction is an error of that transaction alone, and the pool goes on", async () => {
  const { code, stdout, stderr } = await lose("corrected");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const lines = stdout.trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
    ["end", "destroy", "reset"].map((how) => ({ how, lost: "CONNECTION_CLOSED", answer: 2 })),
  );
}, 30_000);

it("the library as published still ends the process there: the correction is needed", async () => {
  const { code, stderr } = await lose("published");
  expect(code).not.toBe(0);
  expect(stderr).toContain("Cannot read properties of null (reading 'write')");
}, 30_000);
