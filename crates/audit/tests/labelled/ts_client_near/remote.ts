import axios from "axios";

export async function handler(req: Request) {
  const client = axios.create();
  client.defaults.headers.common["Authorization"] = req.headers.get("authorization");
  return client.get("/me");
}
