// Makes many generations of 10 KB while no collector is there, and tells how much its heap has grown.
import { startGeneration, startTracing } from "../../../sdk/index.ts";

const GENERATIONS = 20_000;
const collect = (globalThis as { gc?: () => void }).gc;
if (collect === undefined) throw new Error("run it with --expose-gc");

const tracing = startTracing({ endpoint: "http://127.0.0.1:9", exitHooks: false });
collect();
const before = process.memoryUsage().heapUsed;
for (let i = 0; i < GENERATIONS; i++) {
  const generation = startGeneration({ model: "m", provider: "own", prompt: { text: `${i} ${"x".repeat(10_240)}` } });
  generation.succeed({ text: `answer ${i}` });
  if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
collect();
const grown = process.memoryUsage().heapUsed - before;
process.stdout.write(JSON.stringify({ grown, ...tracing.stats() }));
process.exit(0);
