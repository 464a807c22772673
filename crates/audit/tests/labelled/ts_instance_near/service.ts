import express from "express";

class Assistant {
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  ask(thread: string) {
    return `${thread}:${this.limit}`;
  }
}

export const assistant = new Assistant(3);
const app = express();

app.post("/ask", async (req, res) => {
  res.json(assistant.ask(req.body.thread));
});
