import { Hono } from "hono";

/** What a web server calls for each request; `env` holds what the server adapter knows of the connection. */
export type Fetch = (request: Request, env?: unknown) => Response | Promise<Response>;

/** Stands at the web address from the first moment of a start, so that supervisors can tell a long start from a dead process. */
export interface Front {
  readonly fetch: Fetch;
  /** What the start is at, in one word, as /readyz says it. */
  at(step: StartStep): void;
  /** Hands every later request to the running collector. */
  open(fetch: Fetch): void;
}

/** `migrating` may take minutes on a large database, or while another collector migrates it. */
export type StartStep = "starting" | "migrating";

/** Before it is opened: alive, not ready, and nothing else; none of it needs a key. */
export function createFront(): Front {
  let step: StartStep = "starting";
  const starting = new Hono();
  for (const path of ["/healthz", "/livez"]) starting.get(path, (context) => context.text("ok\n"));
  starting.all("*", (context) => context.text(`${step}\n`, 503, { "Retry-After": "1" }));
  let current: Fetch = (request) => starting.fetch(request);
  return {
    fetch: (request, env) => current(request, env),
    at(next) {
      step = next;
    },
    open(fetch) {
      current = fetch;
    },
  };
}
