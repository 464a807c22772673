import axios from "axios";

const client = axios.create();

export async function handler(req: Request) {
  client.defaults.headers.common["Authorization"] = req.headers.get("authorization"); // shared: process_attribute
  return client.get("/me");
}
