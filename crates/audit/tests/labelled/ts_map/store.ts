import Fastify from "fastify";

const app = Fastify();
const drafts = new Map<string, string>(); // shared: shared_mutable

app.post("/draft", async (request, reply) => {
  drafts.set(request.body.title, request.body.text);
  return {};
});
