let lastPrompt: string | null = null; // shared: lazy_global

export async function POST(request: Request) {
  const body = await request.json();
  lastPrompt = body.prompt;
  return Response.json({ lastPrompt });
}
