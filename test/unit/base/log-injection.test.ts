import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { repositoryRoot } from "../../support/source-files.ts";

/** What somebody would send as the name of a span, a header or a key to write lines of their own into the log. */
const HOSTILE = [
  '\n{"level":"fatal","msg":"forged"}',
  "\r\n2026-11-21 ERROR forged",
  "\u001b[2J\u001b[31mred",
  "\u2028forged",
  "\u0000",
  '"},{"forged":true',
];

it("PRV-06 a hostile value is one line of the log, escaped, and nothing else", () => {
  const program = `
    const { createLog } = await import(${JSON.stringify(join(repositoryRoot, "collector/base/log.ts"))});
    const log = createLog("info");
    for (const value of ${JSON.stringify(HOSTILE)}) log.warn({ value, [value]: 1 }, value);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  const lines = `${stdout}${stderr}`.trimEnd().split("\n");
  expect(lines).toHaveLength(HOSTILE.length);
  for (const [i, line] of lines.entries()) {
    const entry = JSON.parse(line) as { value: string; msg: string; level: unknown };
    expect([entry.value, entry.msg]).toEqual([HOSTILE[i], HOSTILE[i]]);
    expect(entry.level).not.toBe("fatal");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(line).not.toMatch(/[\u0000-\u001f]/);
  }
});
