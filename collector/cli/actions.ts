import type { LogLevel } from "../base/log-level.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { ResultSet } from "./result-set.ts";

/** Where a command finds the database: a URL, else the embedded one of the data folder. */
export interface DatabaseOptions {
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly schema: string;
}

/** Where a command finds the API: a collector by its address, else a database. */
export interface ConnectionOptions extends DatabaseOptions {
  /** Base address of a collector's web server. */
  readonly url: string | undefined;
  readonly key: string | undefined;
  /** Where archived content may lie besides the folders that the database knows. */
  readonly archiveFolders: readonly string[];
  /** Of a database; a key knows its project itself. */
  readonly projectId: number;
  /** Hears every query that a database is asked, as SQL that can be run again. */
  readonly onSql?: (text: string) => void;
}

/** The API, wherever it is. */
export interface ApiConnection {
  /** Resolves with whatever the API answers; throws CommandError where nothing answers. */
  request(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export interface ConfigOptions {
  /** Later files win; none means the built-in configuration. */
  readonly configFiles: readonly string[];
  /** `a.b.c=value`, each applied after the files. */
  readonly configSets: readonly string[];
}

export interface ServeOptions extends DatabaseOptions, ConfigOptions {
  /** Port of the embedded database; 0 takes a free one. */
  readonly embeddedPort: number;
  readonly logLevel: LogLevel;
  /** Whether to show the start page in the person's browser. */
  readonly open?: boolean;
}

export interface DemoOptions extends ConfigOptions {
  /** About how many model calls of history to send. */
  readonly rows: number;
  readonly seed: number;
  /** Whether to go on sending until stopped. */
  readonly live: boolean;
  readonly open?: boolean;
  readonly embeddedPort: number;
}

export interface DoctorOptions extends ServeOptions {
  /** Base address of OTLP/HTTP, such as http://127.0.0.1:4318; undefined takes it from the configuration. */
  readonly endpoint: string | undefined;
  /** Key with the scope ingest, where the collector asks for one. */
  readonly key: string | undefined;
}

/** One finding of `genspan doctor`. A failed check says what to do, and with which code the command then ends. */
export interface DoctorCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly exitCode?: ExitCode;
}

export interface SqlOptions extends DatabaseOptions {
  readonly timeoutMillis: number;
  readonly projectId: number;
}

export const KEY_SCOPES = ["ingest", "read", "admin"] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

export interface KeyRequest extends DatabaseOptions {
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly projectId: number;
  /** Export requests a second that each collector takes with it; without it, as many as come. */
  readonly maxRequestsPerSecond?: number;
  /** Without it, it works until it is revoked. */
  readonly expiresAt?: Date;
}

export interface ProjectSummary {
  readonly id: number;
  readonly name: string;
  readonly createdAt: string;
}

export interface ProjectDeletionOptions extends DatabaseOptions, Pick<ConnectionOptions, "archiveFolders"> {
  readonly dryRun: boolean;
}

/** A login of the database for dashboards. */
export interface SqlLoginRequest extends DatabaseOptions {
  readonly login: string;
  /** Without it the project that the login has. */
  readonly projectId?: number;
  /** For a new login where no project is given. */
  readonly newProjectId: number;
}

/** The URL of a login, with a password that nothing can show again. */
export interface MadeSqlLogin {
  readonly url: string;
  readonly projectId: number;
}

/** A key as listed: never the key itself, of which only a hash is kept. */
export interface KeySummary {
  readonly id: string;
  readonly name: string;
  readonly projectId: number;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly maxRequestsPerSecond: number | null;
}

export interface PruneOptions extends DatabaseOptions {
  readonly before: Date;
  readonly dryRun: boolean;
  /** Whole rows, their content alone, or calls whose record of the application never came. */
  readonly what: "rows" | "content" | "unlinked";
  /** Characters of each text that stay, where only content goes. */
  readonly keepChars: number;
  /** For unlinked calls; the others go in all projects. */
  readonly projectId: number;
}

/** Rows that went, or would go, of one table or partition. */
export interface PrunedRows {
  readonly table: string;
  readonly partition: string | null;
  readonly rows: number;
}

export interface ArchiveOptions extends DatabaseOptions {
  readonly before: Date;
  readonly dryRun: boolean;
  /** Undefined for the one of the data folder. */
  readonly folder: string | undefined;
}

export interface RestoreOptions extends DatabaseOptions {
  /** Undefined for every one that the database knows, and that of the data folder. */
  readonly folder: string | undefined;
  /** UTC days, both inclusive. */
  readonly fromDay?: string;
  readonly toDay?: string;
}

/**
 * What the commands run. main provides it, so that the command line knows nothing of databases and servers.
 * An action reports an expected failure as SetupError or CommandError.
 */
export interface Actions {
  /** Resolves when the collector was told to stop and has stopped. */
  serve(options: ServeOptions): Promise<void>;
  /** Serves demonstration data from a temporary folder. Resolves when it was told to stop (or, without live data, after the history) and has cleaned up. */
  demo(options: DemoOptions): Promise<void>;
  /** Resolves with warnings when the configuration is sound; throws with every fault otherwise. */
  validate(options: ConfigOptions): Promise<readonly string[]>;
  migrate(options: DatabaseOptions): Promise<{ readonly applied: readonly string[]; readonly version: number }>;
  doctor(options: DoctorOptions): AsyncIterable<DoctorCheck>;
  sql(query: string, options: SqlOptions): Promise<ResultSet>;
  /** The API over HTTP, or in this process on a database. */
  connect(options: ConnectionOptions): Promise<ApiConnection>;
  /** Shows an address in the person's browser; false where none can be started. */
  openBrowser(url: string): Promise<boolean>;
  /** How a recorded body of traces is understood, after what the configuration does to it where one is given. */
  explainFile(file: string, options: ConfigOptions): Promise<ResultSet>;
  /** Removes what is old, or says what would go. */
  prune(options: PruneOptions): Promise<readonly PrunedRows[]>;
  /** Moves old content into compressed files. */
  archive(options: ArchiveOptions): Promise<readonly PrunedRows[]>;
  restore(options: RestoreOptions): Promise<{ readonly files: number; readonly restored: number; readonly missing: number }>;
  /** Resolves with the key's text, which nothing can show again. */
  createKey(request: KeyRequest): Promise<{ readonly id: string; readonly key: string }>;
  listKeys(options: DatabaseOptions): Promise<readonly KeySummary[]>;
  /** Resolves with false when there is no such key. */
  revokeKey(id: string, options: DatabaseOptions): Promise<boolean>;
  /** A new key in place of another, which ends after the time of grace; undefined when there is no such key. */
  rotateKey(
    id: string,
    options: DatabaseOptions & { readonly graceMillis: number; readonly expiresAt?: Date },
  ): Promise<{ readonly id: string; readonly key: string } | undefined>;
  listProjects(options: DatabaseOptions): Promise<readonly ProjectSummary[]>;
  createProject(name: string, options: DatabaseOptions): Promise<ProjectSummary>;
  /** Rows that went, or would go, by table. Throws CommandError where there is no such project. */
  deleteProject(id: number, options: ProjectDeletionOptions): Promise<readonly PrunedRows[]>;
  /** Resolves with the login's URL and password, which nothing can show again. */
  createSqlLogin(request: SqlLoginRequest): Promise<MadeSqlLogin>;
  /** Whether its role is gone, or closed alone since something belongs to it. Throws CommandError where there is no such login. */
  removeSqlLogin(request: Pick<SqlLoginRequest, "login"> & DatabaseOptions): Promise<"dropped" | "closed">;
}
