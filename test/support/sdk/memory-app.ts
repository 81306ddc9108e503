// Makes many generations of 10 KB while no collector is there, and tells how much its heap has grown.
import { startGeneration, startTracing } from "../../../sdk/index.ts";

const GENERATIONS = 20_000;
/** So many are under way at once, longer than announcements wait: their announcements are queued, and taken back when they end. */
const AT_ONCE = 500;
const CALL_MS = 60;
/** Announcements may be on their way just then. */
const SETTLED_WITHIN_MS = 10_000;
const collect = (globalThis as { gc?: () => void }).gc;
if (collect === undefined) throw new Error("run it with --expose-gc");

const tracing = startTracing({ endpoint: "http://127.0.0.1:9", exitHooks: false });
collect();
const before = process.memoryUsage().heapUsed;
for (let made = 0; made < GENERATIONS; made += AT_ONCE) {
  const open = Array.from({ length: AT_ONCE }, (_, i) =>
    startGeneration({ model: "m", provider: "own", prompt: { text: `${made + i} ${"x".repeat(10_240)}` } }),
  );
  await new Promise((resolve) => setTimeout(resolve, CALL_MS));
  open.forEach((generation, i) => void generation.succeed({ text: `answer ${made + i}` }));
}
collect();
const grown = process.memoryUsage().heapUsed - before;
const known = (): number => tracing.stats().queued + tracing.stats().dropped;
for (const began = performance.now(); known() !== GENERATIONS && performance.now() - began < SETTLED_WITHIN_MS; )
  await new Promise((resolve) => setTimeout(resolve, CALL_MS));
process.stdout.write(JSON.stringify({ grown, ...tracing.stats() }));
process.exit(0);
