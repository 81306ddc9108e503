import type { Server } from "node:net";
import { hostAndPort } from "../base/address.ts";
import { SetupError } from "../base/setup-error.ts";

export interface BindOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What is served there, as the configuration key that moves it: for the message when the address cannot be had. */
  readonly purpose: string;
}

/** Binds a server to its address. Rejects with SetupError when the address cannot be had. */
export function bind(server: Server, { host, port, purpose }: BindOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(setupError(error, { address: hostAndPort(host, port), purpose }));
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      // EMFILE and the like while accepting: the connection waits in the backlog, the server goes on.
      server.on("error", () => {});
      resolve();
    });
  });
}

function setupError(error: NodeJS.ErrnoException, at: { readonly address: string; readonly purpose: string }): Error {
  switch (error.code) {
    case "EADDRINUSE":
      return new SetupError(
        `The address ${at.address} is in use by another program: stop it, or give ${at.purpose} another port in the configuration.`,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new SetupError(`The address ${at.address} does not belong to this machine: give ${at.purpose} one that does.`);
    case "EACCES":
      return new SetupError(`This user may not listen on ${at.address}: give ${at.purpose} a port above 1023.`);
    default:
      return error;
  }
}
