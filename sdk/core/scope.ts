/** Version of this package, held equal to its package.json by a test. */
export const VERSION = "0.1.0";

/** The instrumentation scope of every record. */
export const SCOPE = { name: "@genspan/sdk", version: VERSION };

/** How requests introduce themselves. */
export const USER_AGENT = `genspan-sdk/${VERSION}`;
