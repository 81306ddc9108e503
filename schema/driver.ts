import { registerHooks } from "node:module";

interface Correction {
  readonly before: string;
  readonly after: string;
}

const LOST = "Errors.connection('CONNECTION_CLOSED', options, socket)";

/** Each applies to exactly one place; `correct` throws otherwise, so that another version cannot slip by. */
function corrections(): readonly Correction[] {
  return [
    {
      // A statement of a transaction whose connection has gone: refused, and the connection stays where the pool finds it.
      before: "    if (q.cancelled)\n      return\n",
      after: `    if (q.cancelled)\n      return\n\n    if (socket === null)\n      return (queryError(q, ${LOST}), true)\n`,
    },
    {
      before: "  function nextWrite(fn) {\n",
      after: `  function nextWrite(fn) {\n    if (socket === null) {\n      chunk = nextWriteTimer = null\n      error(${LOST})\n      return true\n    }\n`,
    },
    {
      // What was not sent to the old connection is not for the next one, whose first write must be scheduled again.
      before: "    clearImmediate(nextWriteTimer)\n    socket.removeListener('data', data)\n",
      after: "    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n    socket.removeListener('data', data)\n",
    },
  ];
}

function correct(source: string): string {
  return corrections().reduce((text, { before, after }) => {
    if (text.split(before).length !== 2) throw new Error("this version of postgres.js is not the one that schema/driver.ts corrects");
    return text.replace(before, () => after);
  }, source);
}

async function loadCorrected(): Promise<typeof import("postgres")> {
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      const module = nextLoad(url, context);
      return url.endsWith("/postgres/src/connection.js") ? { ...module, source: correct(String(module.source)) } : module;
    },
  });
  const { default: driver } = await import("postgres");
  hooks.deregister();
  return driver;
}

/**
 * postgres.js with the corrections of record 0011. Version 3.4.9 writes to the socket of a connection that has gone when a transaction meets the
 * loss of its connection, which ends the process; and after some losses a connection never sends anything again (issues 1154 and 1208 of porsager/postgres).
 */
export const postgres = await loadCorrected();

/**
 * What sessions of the program set for themselves (the writer does without: it reads no times back): PostgreSQL writes times, bounds of partitions among them, as the database or its user likes them, and
 * they are read by machines here. Both are settings that poolers pass on.
 */
export const SESSION = { DateStyle: "ISO, MDY", TimeZone: "UTC" } as const;
