// The corrected driver comes first, so that tests that import postgres.js themselves get it, too: the other one ends the process when a session is cut.
import "../../schema/driver.ts";
