// Starts a test cluster as a test run does, prints where it is, and waits to be killed.
import { dirname } from "node:path";
import { startCluster } from "./cluster.ts";

const { logFile, pid } = await startCluster("embedded");
console.log(JSON.stringify({ folder: dirname(logFile), pid: pid() }));
setInterval(() => {}, 60_000);
