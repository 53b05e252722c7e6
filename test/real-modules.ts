/**
 * `bun test` has a global `jest` without `requireActual`, which pkg-prebuilds (it loads the JPEG
 * library's binary) calls as soon as it sees one. Import this before what loads src/pictures/jpeg.ts.
 */

import { jest } from "bun:test";
import { createRequire } from "node:module";

Object.assign(jest, { requireActual: createRequire(import.meta.url) });
