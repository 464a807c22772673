export async function POST(request: Request) {
  let lastPrompt: string | null = null;
  const body = await request.json();
  lastPrompt = body.prompt;
  return Response.json({ lastPrompt });
}
