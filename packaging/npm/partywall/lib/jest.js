// `import "partywall/jest"` in a test, or in `setupFilesAfterEnv`.
"use strict";

const matcher = require("./matcher.js");

// Jest gives each test file its own `expect`.
globalThis.expect.extend(matcher);
