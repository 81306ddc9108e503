import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** A Python to run clients with: GENSPAN_TEST_PYTHON, or the one on the path. */
const PYTHON = process.env["GENSPAN_TEST_PYTHON"] ?? "python3";

export const hasPythonModule = (name: string): boolean => spawnSync(PYTHON, ["-c", `import ${name}`]).status === 0;

/** Runs a script to its end; gives its exit code and everything it said. */
export async function runPython(script: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(PYTHON, ["-c", script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}
