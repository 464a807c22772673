import { getFactory } from "./lib/factory";

export async function byName(userContext: Context) {
  return getFactory(); // fixed: userContext
}

export const byType = async (context: UserContext, text = "") => {
  const factory = await getFactory(); // fixed: context
  return factory;
};

export function local(request: Request) {
  const userContext = make(request);
  return getFactory(); // fixed: userContext
}

export function made(request: Request) {
  const ctx = new UserContext(request);
  return () => getFactory(); // fixed: ctx
}

export function destructured({ userContext }: Props) {
  return `${getFactory()}`; // fixed: userContext
}

export function taken(request: Request) {
  const { userContext } = request;
  return getFactory(); // fixed: userContext
}

export function optional(userContext?: UserContext) {
  return getFactory(); // left: context_may_be_none
}

export function nullable(userContext: UserContext | null) {
  return getFactory(); // left: context_may_be_none
}

export function branch(request: Request) {
  if (request) {
    const userContext = make(request);
  }
  return getFactory(); // left: context_unsure
}

export function hidden(userContext: UserContext) {
  if (userContext) {
    const factory = getFactory(); // left: context_unsure
    const userContext = make(factory);
    return userContext;
  }
}

export function bare() {
  let userContext: UserContext;
  return getFactory(); // left: context_unsure
}

export function rest(...userContext: Context[]) {
  return getFactory(); // left: context_unsure
}

export function forms(userContext: UserContext) {
  getFactory?.(); // left: not_plain_call
  new getFactory(); // left: not_plain_call
  getFactory(1); // left: has_arguments
  return [getFactory]; // left: not_a_call
}

export const atStart = getFactory(); // left: module_level

export class Service {
  constructor(private userContext: UserContext) {
    this.factory = getFactory(); // fixed: userContext
  }

  run() {
    return getFactory(); // left: no_context
  }

  each(contexts: UserContext[]) {
    for (const userContext of contexts) {
      getFactory().run(); // fixed: userContext
    }
    return getFactory(); // left: context_unsure
  }
}
