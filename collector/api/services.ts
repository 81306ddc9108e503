import type { Authenticate } from "../base/authenticate.ts";
import type { Log } from "../base/log.ts";
import type { Writer } from "../commands/writer.ts";
import type { Reader } from "../query/reader.ts";

/** What the routes work with. */
export interface Services {
  /** Asks as the login that sees one project. */
  readonly reader: Reader;
  /** Carries out commands as the owner. */
  readonly writer: Writer;
  readonly authenticate: Authenticate;
  readonly log: Log;
  readonly version: string;
}
