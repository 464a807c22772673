const express = require("express");

const app = express();
app.use(express.json());

let current = {}; // of everybody

app.post("/chat", async (request, response) => {
  current = { user: request.get("x-user-id"), message: request.body.message };
  await new Promise((done) => setTimeout(done, 20)); // the model thinks
  response.json({ answer: `${current.user}, you said: ${current.message}` });
});

app.listen(Number(process.argv[2]), "127.0.0.1");
