// `import "partywall/vitest"` in a test or a setup file.
import { expect } from "vitest";
import matcher from "./matcher.js";

expect.extend(matcher);
