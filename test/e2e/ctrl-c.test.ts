import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { readEmbeddedState } from "../../collector/embedded/index.ts";
import { removeFolder, startProgram } from "../support/program.ts";
import { countOf, createSender, whileRunning } from "../support/sender.ts";

it("PRC-01 Ctrl+C under load reaches everything at once, and still every acknowledged span is in the embedded database", {
  timeout: 90_000,
}, async () => {
  const program = await startProgram({ ownGroup: true });
  const env = { GENSPAN_DATA_DIR: `${program.folder}/data` };
  const sender = createSender(() => program.otlpUrl);
  const underLoad = expect.poll(() => sender.acknowledged(), { timeout: 30_000 }).toBeGreaterThan(0);
  const ended = underLoad.then(async () => {
    await sleep(500);
    // A terminal sends it to the whole group: npm, the collector, and whatever else is in it.
    process.kill(-(program.process.pid ?? 0), "SIGINT");
    return new Promise((resolve) => program.process.once("exit", resolve));
  });
  await Promise.all([1, 2, 3, 4].map(() => whileRunning(ended, () => sender.send(20))));
  expect(await ended).toBe(0);

  const again = await startProgram({ env });
  const { url } = readEmbeddedState(env.GENSPAN_DATA_DIR)!;
  expect(await countOf(url, "SELECT count(*)::int AS n FROM spans")).toBeGreaterThanOrEqual(sender.acknowledged());
  expect(await again.end()).toBe(0);
  for (const each of [program, again]) removeFolder(each);
});
