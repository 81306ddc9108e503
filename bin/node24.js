// Runs a script of this repository under the pinned Node 24, whatever Node started us.
// Plain JavaScript without newer syntax, so that an old Node reaches the explanation instead of a syntax error.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const WANTED_MAJOR = 24;

/** Path of the pinned Node, or undefined when npm installed none for this platform. */
function pinnedNode() {
  const file = process.platform === "win32" ? "node.exe" : "node";
  const names = [`node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`];
  names.push(`node-bin-${process.platform}-${process.arch}`);
  for (const name of names) {
    for (const base of [join(root, "node_modules"), dirname(root)]) {
      const path = join(base, name, "bin", file);
      if (existsSync(path)) return path;
    }
  }
  return undefined;
}

/** Runs `script` with `args` in this process when it is new enough, else in the pinned Node with our signals and exit code. */
export async function runUnderNode24(script, args) {
  if (Number(process.versions.node.split(".")[0]) >= WANTED_MAJOR) {
    process.argv = [process.argv[0], script, ...args];
    // Stripped types and byte code are kept from run to run: a command starts in half the time. Where the folder cannot be written it does without.
    module.enableCompileCache(join(root, "node_modules", ".cache", "node-compile"));
    await import(pathToFileURL(script).href);
    return;
  }
  const node = pinnedNode();
  if (node === undefined) {
    console.error(
      `genspan needs Node ${WANTED_MAJOR} and this is Node ${process.versions.node}: run "npm ci" (it brings one for common platforms), or install Node ${WANTED_MAJOR} or newer.`,
    );
    process.exit(1);
  }
  // By way of this file, which turns the cache on before the script is read.
  const child = spawn(node, [fileURLToPath(import.meta.url), script, ...args], { stdio: "inherit" });
  // A terminal sends Ctrl+C to the child as well: forwarding it would count as the second, forcing signal.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGHUP"));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [script, ...args] = process.argv.slice(2);
  if (script === undefined) {
    console.error("usage: node bin/node24.js SCRIPT [ARGUMENT…]");
    process.exit(2);
  }
  await runUnderNode24(resolve(script), args);
}
