import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A program of the bench that runs as a process of its own and answers messages one at a time. */
export interface WorkerLink {
  readonly process: ChildProcess;
  ask<T>(message: unknown): Promise<T>;
  /** The next message that comes without being asked for. */
  hear<T>(): Promise<T>;
  close(): Promise<void>;
}

/** `file` is relative to this folder. A worker that ends while an answer is awaited rejects it: nothing hangs. */
export function startWorker(file: string, args: readonly string[] = []): WorkerLink {
  const child = fork(new URL(file, import.meta.url), args);
  const ended = once(child, "exit");
  const hear = <T>(): Promise<T> =>
    Promise.race([
      once(child, "message").then(([answer]) => answer as T),
      ended.then(([code]) => Promise.reject(new Error(`${file} ended with code ${code} before it answered`))),
    ]);
  ended.catch(() => {});
  return {
    process: child,
    hear,
    ask(message) {
      const answer = hear<never>();
      child.send(message as object);
      return answer;
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill();
      await ended;
    },
  };
}
