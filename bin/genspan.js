#!/usr/bin/env node
// The `genspan` command. Finds Node 24 and starts collector/main.ts there.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runUnderNode24 } from "./node24.js";

const main = join(dirname(dirname(fileURLToPath(import.meta.url))), "collector", "main.ts");
await runUnderNode24(main, process.argv.slice(2));
