import Fastify from "fastify";

const app = Fastify();
const drafts = new Map<string, string>();

app.post("/draft", async (request, reply) => {
  drafts.set(request.user.userId, request.body.text);
  return {};
});
