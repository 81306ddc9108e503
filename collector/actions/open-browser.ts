import { spawn } from "node:child_process";
import type { Host } from "./host.ts";

/** So long a program that cannot be started has to say so. */
const START_MS = 300;

/** Programs that open an address in the person's browser, by platform; BROWSER names another. */
function opener({ BROWSER: browser }: Host["env"], platform: NodeJS.Platform): readonly [string, ...string[]] {
  if (browser !== undefined && browser !== "") return [browser];
  if (platform === "darwin") return ["open"];
  return platform === "win32" ? ["rundll32", "url.dll,FileProtocolHandler"] : ["xdg-open"];
}

/** Shows an address in the browser; false where no program for it can be started. Does not wait for the browser. */
export async function openBrowser(url: string, { env }: Pick<Host, "env">): Promise<boolean> {
  const [program, ...args] = opener(env, process.platform);
  const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
  const started = Promise.withResolvers<boolean>();
  child.once("error", () => started.resolve(false));
  child.once("exit", (code) => started.resolve(code === 0));
  const timer = setTimeout(() => started.resolve(true), START_MS);
  child.unref();
  return started.promise.finally(() => clearTimeout(timer));
}
