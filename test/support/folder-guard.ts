import { spawn } from "node:child_process";
import type { Writable } from "node:stream";

/**
 * A small shell process that waits for the end of this one, however it ends: its pipe closes even after SIGKILL. Then it stops the
 * PostgreSQL whose data lies in `folder`/postgres, if one still runs, and deletes the folder. `release` ends it without either.
 */
export function guardFolder(folder: string): { release(): void } {
  const script = `read -r word && exit
    file="$1/postgres/postmaster.pid"
    pid=$(head -n 1 "$file" 2>/dev/null)
    [ -n "$pid" ] && [ "$(ps -o comm= -p "$pid")" = postgres ] && kill -QUIT "$pid"
    for i in 1 2 3 4 5 6 7 8 9 10; do [ -e "$file" ] && sleep 0.2; done
    rm -rf -- "$1"`;
  const guard = spawn("/bin/sh", ["-c", script, "sh", folder], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  guard.unref();
  (guard.stdin as Writable & { unref(): void }).unref();
  return { release: () => void guard.stdin.end("released\n") };
}
