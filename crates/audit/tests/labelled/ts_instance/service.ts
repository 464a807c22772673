import express from "express";

class Assistant {
  private thread: string | null = null;

  select(thread: string) {
    this.thread = thread;
  }
}

export const assistant = new Assistant(); // shared: shared_mutable
const app = express();

app.post("/ask", async (req, res) => {
  assistant.select(req.body.thread);
  res.json(await ask(assistant));
});
