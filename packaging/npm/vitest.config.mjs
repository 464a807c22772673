import { fileURLToPath } from "node:url";

const lib = (file) => fileURLToPath(new URL(`partywall/lib/${file}`, import.meta.url));

// The package as it stands here; the installed one is checked by `check.sh`.
export default {
  resolve: {
    alias: [
      { find: /^partywall\/vitest$/, replacement: lib("vitest.mjs") },
      { find: /^partywall$/, replacement: lib("index.js") },
    ],
  },
};
