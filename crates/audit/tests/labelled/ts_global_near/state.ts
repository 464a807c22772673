export async function handler(req: Request) {
  const state = { currentUser: req.headers.get("x-user") };
  state.currentUser = state.currentUser ?? "nobody";
  return respond(state);
}
