export async function handler(req: Request) {
  globalThis.currentUser = req.headers.get("x-user"); // shared: process_attribute
  return respond();
}
