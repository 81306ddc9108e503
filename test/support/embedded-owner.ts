// A collector as far as the embedded database is concerned, in a process of its own that a test may kill.
// Argument: the options as JSON. Prints one line of JSON: what runs, or why it does not. SIGTERM stops it; SIGINT is ignored, as while draining.
import { startEmbedded } from "../../collector/embedded/index.ts";
import { recordingLog } from "./recording-log.ts";

process.on("SIGINT", () => {});
const { log, lines } = recordingLog();
try {
  const { url, port, folder, stop } = await startEmbedded({ ...JSON.parse(process.argv[2] ?? "{}"), log });
  process.on("SIGTERM", () => void stop().then(() => process.exit(0)));
  console.log(JSON.stringify({ url, port, folder, lines }));
} catch (error) {
  const { name, message } = error as Error;
  console.log(JSON.stringify({ error: { name, message }, lines }));
  process.exit(1);
}
