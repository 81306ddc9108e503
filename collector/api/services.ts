import type { ChannelTools } from "../alerts/channels.ts";
import type { Authenticate } from "../base/authenticate.ts";
import type { Log } from "../base/log.ts";
import type { Outcome } from "../base/outcome.ts";
import type { Signal } from "../base/signal.ts";
import type { ProjectEnd } from "../commands/delete-project.ts";
import type { Target } from "../commands/erase/find-spans.ts";
import type { EraseOptions } from "../commands/erase/index.ts";
import type { Subject } from "../commands/erase/subject.ts";
import type { Refine } from "../commands/generations/change.ts";
import type { Writer } from "../commands/writer.ts";
import type { LiveHub } from "../live/hub.ts";
import type { Reader } from "../query/reader.ts";

/** What the routes work with. */
export interface Services {
  /** Asks as the login that sees one project. */
  readonly reader: Reader;
  /** Carries out commands as the owner. */
  readonly writer: Writer;
  /** Takes one OTLP/JSON request into the pipeline. */
  readonly ingest: (projectId: number, signal: Signal, body: Buffer) => Promise<Outcome>;
  /** Brings the rows of a trace in line with what a command wrote about it. */
  readonly refine: Refine;
  /** What an erasure does outside of the database. */
  readonly erasing: Required<Pick<EraseOptions, "eraseFiles" | "onBuried">> & {
    /** What files outside of the database hold of the same, a line of JSON per row. */
    readonly readFiles: (projectId: number, targets: readonly Target[], subject: Subject) => AsyncIterable<string>;
  };
  /** What the end of a project needs outside of the database's tables. */
  readonly projectEnd: ProjectEnd;
  /** What alerts are told by. */
  readonly alerting: ChannelTools & { readonly publicUrl: string | undefined };
  /** Who watches what comes in. */
  readonly live: LiveHub;
  readonly authenticate: Authenticate;
  readonly log: Log;
  readonly version: string;
}
