/** For every test file: only a test that hangs is ended by the clock, and these machines may be slow. */
import { setDefaultTimeout } from "bun:test";

setDefaultTimeout(120_000);
